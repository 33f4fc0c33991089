// Loads a module of src/ into Node, which does not read TypeScript in every version that we support.
import { readFile } from "node:fs/promises";
import { transform } from "esbuild";

/** The exports of `src/<name>`; it must import nothing but types. */
export async function importSource(name) {
  const text = await readFile(new URL(`../src/${name}`, import.meta.url), "utf8");
  const { code } = await transform(text, { loader: "ts", format: "esm", sourcefile: name, sourcemap: "inline" });
  return import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
}
