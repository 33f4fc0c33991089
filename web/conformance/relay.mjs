// Usage: node conformance/relay.mjs <schema.graphql>
// Compiles the project in conformance/relay/ against the SDL with relay-compiler: it holds the graph to Relay's rules
// for nodes, connections and refetching. Exit code 0: it compiled, and every document yielded an artifact.
import { spawnSync } from "node:child_process";
import { copyFile, cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import compiler from "relay-compiler";

const [schema] = process.argv.slice(2);
if (!schema) {
  console.error("usage: relay.mjs <schema.graphql>");
  process.exit(2);
}

const sources = join(dirname(fileURLToPath(import.meta.url)), "relay");
const project = await mkdtemp(join(tmpdir(), "moneta-relay-"));
let artifacts = [];
let compiled;
try {
  await cp(sources, join(project, "src"), { recursive: true });
  await copyFile(schema, join(project, "schema.graphql"));
  const config = { src: "./src", schema: "./schema.graphql", language: "javascript", eagerEsModules: true };
  await writeFile(join(project, "relay.config.json"), JSON.stringify(config));
  // Watchman, where it is installed, would want the project under version control.
  const env = { ...process.env, FORCE_NO_WATCHMAN: "1" };
  compiled = spawnSync(compiler, ["relay.config.json"], { cwd: project, env, encoding: "utf8" });
  if (compiled.error) throw compiled.error;
  const written = await readdir(project, { recursive: true });
  artifacts = written.filter((name) => name.endsWith(".graphql.js"));
} finally {
  await rm(project, { recursive: true, force: true });
}

if (compiled.status !== 0) console.log(compiled.stdout + compiled.stderr);
console.log(`relay-compiler: exit code ${compiled.status}, ${artifacts.length} artifacts`);
process.exit(compiled.status === 0 && artifacts.length > 0 ? 0 : 1);
