// Bundles the GraphiQL page into dist/, to be served under /ide: index.html plus assets whose names carry their hash.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";
import { readExamples } from "./examples.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const assets = join(dist, "assets");
const PUBLIC_ASSETS = "/ide/assets";

/** Smaller files fit into one packet uncompressed. Fonts are compressed already, but for the one of icons. */
const COMPRESSED_FROM_BYTES = 1024;
const COMPRESSED = /\.(js|css|svg|ttf|txt)$/;

/** The page, and the workers that Monaco starts from addresses of their own: modules too, which share its chunks. */
const ENTRIES = {
  SCRIPT: "src/ide.tsx",
  EDITOR: "node_modules/monaco-editor/esm/vs/editor/editor.worker.js",
  JSON: "node_modules/monaco-editor/esm/vs/language/json/json.worker.js",
  GRAPHQL: "node_modules/monaco-graphql/esm/graphql.worker.js",
};

/** The example operations become data in the bundle: in the order of their files. */
const examples = {
  name: "examples",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^moneta:examples$/ }, () => ({ path: "examples", namespace: "moneta" }));
    onLoad({ filter: /.*/, namespace: "moneta" }, async () => ({
      contents: JSON.stringify(await readExamples(join(root, "examples"))),
      loader: "json",
    }));
  },
};

/** graphiql/style.css already holds Monaco's styles; those that Monaco imports itself would be left unused beside it. */
const monacoStyles = {
  name: "monaco-styles",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]monaco-editor[\\/].*\.css$/ }, () => ({ contents: "", loader: "empty" }));
  },
};

/**
 * graphiql/style.css holds each of its fonts inside, for every alphabet. As files of their own they are loaded when
 * there is something to show in them.
 */
const fonts = {
  name: "fonts",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\/ide\/assets\// }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /[\\/]graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => {
      const css = await readFile(path, "utf8");
      await mkdir(assets, { recursive: true });
      const written = [];
      const contents = css.replaceAll(/url\("?data:font\/(\w+);base64,([A-Za-z0-9+/=]+)"?\)/g, (_, kind, base64) => {
        const bytes = Buffer.from(base64, "base64");
        const name = `font-${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}.${kind}`;
        written.push(writeFile(join(assets, name), bytes));
        return `url(${PUBLIC_ASSETS}/${name})`;
      });
      await Promise.all(written);
      return { contents, loader: "css" };
    });
  },
};

/**
 * GraphiQL's tabs are an ARIA tablist whose tabs contain buttons: screen readers cannot reach those, and the keys of a
 * tablist do nothing. As what it is, a list of buttons, it can be used.
 */
const TABS_AS_LIST = [
  ["@graphiql/react/dist/components/tabs/index.js", '"aria-selected": isActive,', ""],
  ["@graphiql/react/dist/components/tabs/index.js", 'role: "tab",', 'role: "listitem",'],
  ["@graphiql/react/dist/components/tabs/index.js", 'role: "tablist",', 'role: "list",'],
  ["graphiql/dist/GraphiQL.js", "jsx(Tab.Button, {", 'jsx(Tab.Button, { "aria-current": index_1 === activeTabIndex,'],
  ["graphiql/dist/GraphiQL.js", "jsx(Tab.Close, {", 'jsx(Tab.Close, { "aria-label": `Close ${tab.title}`,'],
  ["graphiql/dist/GraphiQL.js", 'role: "tabpanel",', 'role: "region",'],
];

/** Fails where a package no longer contains what is replaced. */
const replaced = {
  name: "replaced",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](tabs[\\/]index|GraphiQL)\.js$/ }, async ({ path }) => {
      const found = TABS_AS_LIST.filter(([file]) => path.replaceAll("\\", "/").endsWith(`node_modules/${file}`));
      let contents = await readFile(path, "utf8");
      for (const [file, before, after] of found) {
        if (!contents.includes(before)) throw new Error(`${file} has no ${before}`);
        contents = contents.replace(before, after);
      }
      return { contents, loader: "js" };
    });
  },
};

/** Bundles everything; `names` are those of the files that index.html names, `visit` all that a visit loads. */
async function bundle() {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    minify: true,
    metafile: true,
    legalComments: "linked",
    target: "es2022",
    outdir: "dist/assets",
    logLevel: "warning",
    entryPoints: Object.values(ENTRIES).map((path) => ({ in: path, out: basename(path).replace(/\.\w+$/, "") })),
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    publicPath: PUBLIC_ASSETS,
    assetNames: "[name]-[hash]",
    format: "esm",
    splitting: true,
    jsx: "automatic",
    loader: { ".graphql": "text", ".svg": "file" },
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [examples, monacoStyles, fonts, replaced],
  });
  const outputs = Object.entries(metafile.outputs);
  const pathOf = (entry) => outputs.find(([, output]) => output.entryPoint === entry)[0];
  const scripts = Object.fromEntries(Object.entries(ENTRIES).map(([key, entry]) => [key, pathOf(entry)]));
  const paths = {
    ...scripts,
    STYLE: metafile.outputs[scripts.SCRIPT].cssBundle,
    FAVICON: outputs.map(([path]) => path).find((path) => path.endsWith(".svg")),
  };
  const names = Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, basename(path)]));
  return { names, visit: [...reached(metafile, Object.values(scripts)), names.STYLE, names.FAVICON] };
}

/** The scripts that every visit loads: all but what formats text, which is loaded when the user formats. */
function reached({ outputs }, scripts) {
  const found = new Set();
  const todo = [...scripts];
  while (todo.length > 0) {
    const path = todo.pop();
    if (found.has(path)) continue;
    found.add(path);
    const { imports } = outputs[path];
    const formats = ({ path: imported }) => /node_modules\/prettier\//.test(outputs[imported]?.entryPoint ?? "");
    todo.push(...imports.filter((each) => !each.external && !formats(each)).map((each) => each.path));
  }
  return [...found].map((path) => basename(path));
}

/** Compresses each file with Brotli and gzip at their highest levels, next to the original. */
async function compress() {
  const parameters = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
  const names = (await readdir(assets)).filter((name) => COMPRESSED.test(name));
  await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(assets, name));
      if (bytes.length < COMPRESSED_FROM_BYTES) return;
      await Promise.all([
        promisify(brotliCompress)(bytes, { params: parameters }).then((br) => writeFile(join(assets, `${name}.br`), br)),
        promisify(gzip)(bytes, { level: 9 }).then((gz) => writeFile(join(assets, `${name}.gz`), gz)),
      ]);
    }),
  );
}

await rm(dist, { recursive: true, force: true });
const { names, visit } = await bundle();
const template = await readFile(join(root, "src/index.html"), "utf8");
const page = template.replace(/\{\{(\w+)\}\}/g, (_, key) => `${PUBLIC_ASSETS}/${names[key]}`);
await writeFile(join(dist, "index.html"), page);
await writeFile(join(dist, "visit.json"), JSON.stringify(visit));
await compress();
console.log(`dist/index.html: ${names.SCRIPT}, ${names.STYLE}`);
