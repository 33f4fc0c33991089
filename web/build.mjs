// Bundles the GraphiQL page into dist/, to be served under /ide: index.html plus assets whose names carry their hash.
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const PUBLIC_ASSETS = "/ide/assets";

/** Monaco starts each worker from an address of its own, so each is a self-contained script, not a chunk. */
const WORKERS = {
  editor: "monaco-editor/esm/vs/editor/editor.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
};

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  metafile: true,
  legalComments: "linked",
  target: "es2022",
  outdir: "dist/assets",
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
};

/** The example operations become data in the bundle: one tab for each file, in the order of their names. */
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

async function readExamples(folder) {
  const names = (await readdir(folder)).sort();
  const tabs = [];
  for (const name of names.filter((each) => each.endsWith(".graphql"))) {
    const beside = name.replace(/\.graphql$/, ".json");
    tabs.push({
      query: await readFile(join(folder, name), "utf8"),
      variables: names.includes(beside) ? await readFile(join(folder, beside), "utf8") : null,
    });
  }
  return tabs;
}

/** Maps each entry point to the public name of its output. */
function outputsByEntry(metafile) {
  const outputs = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);
  return new Map(outputs.map(([path, output]) => [output.entryPoint, { script: basename(path), ...output }]));
}

async function buildWorkers() {
  const { metafile } = await build({
    ...common,
    entryPoints: Object.entries(WORKERS).map(([out, path]) => ({ in: `node_modules/${path}`, out })),
    entryNames: "[name].worker-[hash]",
    format: "iife",
  });
  const outputs = outputsByEntry(metafile);
  return Object.fromEntries(
    Object.entries(WORKERS).map(([label, path]) => [label, outputs.get(`node_modules/${path}`).script]),
  );
}

async function buildPage(workers) {
  const { metafile } = await build({
    ...common,
    entryPoints: ["src/ide.tsx"],
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    publicPath: PUBLIC_ASSETS,
    assetNames: "[name]-[hash]",
    format: "esm",
    splitting: true,
    jsx: "automatic",
    loader: { ".graphql": "text", ".svg": "file" },
    define: { ...common.define, WORKER_SCRIPTS: JSON.stringify(workers) },
    plugins: [examples, monacoStyles],
  });
  const entry = outputsByEntry(metafile).get("src/ide.tsx");
  const favicon = Object.keys(metafile.outputs).find((path) => path.endsWith(".svg"));
  return { SCRIPT: entry.script, STYLE: basename(entry.cssBundle), FAVICON: basename(favicon) };
}

await rm(dist, { recursive: true, force: true });
const names = await buildPage(await buildWorkers());
const template = await readFile(join(root, "src/index.html"), "utf8");
const page = template.replace(/\{\{(\w+)\}\}/g, (_, key) => `${PUBLIC_ASSETS}/${names[key]}`);
await writeFile(join(dist, "index.html"), page);
console.log(`dist/index.html: ${names.SCRIPT}, ${names.STYLE}`);
