// Usage: node conformance/examples.mjs <schema.graphql>
// Validates every document that the page ships, and the variables beside it, against the SDL. Exit code 0: all are valid.
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, parse, validate } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";

const web = dirname(dirname(fileURLToPath(import.meta.url)));

/** Messages for one document; a document holds one operation, named, since the name becomes the tab's title. */
async function problemsOf(schema, folder, name, files) {
  const document = parse(await readFile(join(folder, name), "utf8"));
  const messages = validate(schema, document).map((error) => error.message);
  const operations = document.definitions.filter((each) => each.kind === "OperationDefinition");
  if (operations.length !== 1 || !operations[0].name) messages.push("must hold exactly one operation, with a name");
  const beside = name.replace(/\.graphql$/, ".json");
  if (messages.length > 0 || !files.includes(beside)) return messages;
  const variables = JSON.parse(await readFile(join(folder, beside), "utf8"));
  const { errors = [] } = getVariableValues(schema, operations[0].variableDefinitions ?? [], variables);
  return errors.map((error) => `${beside}: ${error.message}`);
}

const [path] = process.argv.slice(2);
if (!path) {
  console.error("usage: examples.mjs <schema.graphql>");
  process.exit(2);
}

const schema = buildSchema(await readFile(path, "utf8"));
let documents = 0;
let invalid = 0;
for (const room of ["examples", "src/operations"]) {
  const folder = join(web, room);
  const files = (await readdir(folder)).sort();
  for (const name of files.filter((each) => each.endsWith(".graphql"))) {
    documents += 1;
    const messages = await problemsOf(schema, folder, name, files);
    invalid += messages.length > 0 ? 1 : 0;
    for (const message of messages) console.log(`${room}/${name}: ${message}`);
  }
}
console.log(`${documents} documents, ${invalid} invalid`);
process.exit(documents > 0 && invalid === 0 ? 0 : 1);
