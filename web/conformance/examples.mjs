// Usage: node conformance/examples.mjs <schema.graphql> [folder of examples]
// Validates every document that the page ships, and the variables beside it, against the SDL; and in the instructions of
// the examples every name between backticks: it is another example's, or the schema's. Exit code 0: all are valid.
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType, parse, validate } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";
import { readExamples } from "../examples.mjs";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
/** What src/fills.ts fills in. */
const PLACEHOLDERS = ["recipient", "portfolio", "bot", "backtest", "participant", "price", "key"];
/** What src/connections.ts sends over a socket as well. */
const HEADERS = ["X-Moneta-Tenant", "X-Moneta-Mode"];
/** Longer ones would take the place of what they explain. */
const MOST_CHARS = 420;

const [path, folder = join(web, "examples")] = process.argv.slice(2);
if (!path) {
  console.error("usage: examples.mjs <schema.graphql> [folder of examples]");
  process.exit(2);
}
const schema = buildSchema(await readFile(path, "utf8"));
const examples = await readExamples(folder);
const known = new Set([...examples.map(({ name }) => name), ...namesOf(schema)]);
const found = [...examples.flatMap(problemsOf), ...repeated(), ...(await problemsOfOperations())];
for (const message of found) console.log(message);
console.log(`${examples.length} examples, ${found.length} problems`);
process.exit(examples.length > 0 && found.length === 0 ? 0 : 1);

function problemsOf({ file, query, variables, headers, instructions }) {
  const document = parse(query);
  const messages = validate(schema, document).map((error) => error.message);
  if (variables !== null && messages.length === 0) {
    const declared = document.definitions.find(({ kind }) => kind === "OperationDefinition").variableDefinitions ?? [];
    const { errors = [] } = getVariableValues(schema, declared, JSON.parse(variables));
    const placeholders = [...variables.matchAll(/\{\{(.*?)\}\}/g)].map(([, name]) => name);
    messages.push(...errors.map((error) => `variables: ${error.message}`));
    messages.push(...placeholders.filter((name) => !PLACEHOLDERS.includes(name)).map((name) => `variables: {{${name}}}`));
  }
  const named = headers === null ? [] : Object.keys(JSON.parse(headers));
  messages.push(...named.filter((name) => !HEADERS.includes(name)).map((name) => `headers: ${name}`));
  const words = instructions.flatMap((text) => [...text.matchAll(/`(.*?)`/g)].flatMap(([, code]) => wordsOf(code)));
  messages.push(...words.filter((word) => !known.has(word)).map((word) => `instructions: nothing is called ${word}`));
  const length = instructions.join(" ").length;
  if (length > MOST_CHARS) messages.push(`instructions: ${length} characters, more than ${MOST_CHARS}`);
  return messages.map((message) => `${file}: ${message}`);
}

function wordsOf(code) {
  return code.replace(/"[^"]*"/g, "").match(/[A-Za-z_]\w*/g) ?? [];
}

/** A name is the title of a tab, by which the page finds it again. */
function repeated() {
  const names = examples.map(({ name }) => name);
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `two examples are called ${name}`);
}

async function problemsOfOperations() {
  const room = join(web, "src/operations");
  const messages = [];
  for (const name of await readdir(room)) {
    const errors = validate(schema, parse(await readFile(join(room, name), "utf8")));
    messages.push(...errors.map((error) => `${name}: ${error.message}`));
  }
  return messages;
}

/** The names of types, fields, arguments and enum values. */
function* namesOf(schema) {
  for (const type of Object.values(schema.getTypeMap())) {
    yield type.name;
    if (isEnumType(type)) yield* type.getValues().map(({ name }) => name);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const { name, args = [] } of Object.values(type.getFields())) {
      yield name;
      yield* args.map((argument) => argument.name);
    }
  }
}
