// Reads examples/: one operation in each file, its variables in a .json of the same name, and the headers that it needs,
// as the tenant that it is about, in a .headers.json.
//
// A file begins with comments: `# Group: Title`, with `(log in)` at the end where a user must be logged in, and, after
// an empty comment line, paragraphs of instructions. The page shows them above the editor, which has the operation alone.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "graphql";

const TITLE = /^(?<group>[A-Z]\w+): (?<title>.+?)(?<login> \(log in\))?$/;

/** All examples, in the order of their files' names. Throws an Error with the file's name for one that is malformed. */
export async function readExamples(folder) {
  const files = (await readdir(folder)).sort();
  const texts = files.filter((each) => each.endsWith(".graphql"));
  return Promise.all(
    texts.map(async (file) => {
      const beside = async (ending) => {
        const other = file.replace(/\.graphql$/, ending);
        return files.includes(other) ? readFile(join(folder, other), "utf8") : null;
      };
      const example = readExample(file, await readFile(join(folder, file), "utf8"));
      return { ...example, variables: await beside(".json"), headers: await beside(".headers.json") };
    }),
  );
}

function readExample(file, text) {
  const [, comments, query] = text.match(/^((?:#.*\n)+)\n([^]+)$/) ?? [];
  if (!comments) throw new Error(`${file}: must begin with comments, and an empty line after them`);
  const [heading, ...rest] = comments.trimEnd().split("\n").map((line) => line.replace(/^# ?/, ""));
  const { group, title, login } = heading.match(TITLE)?.groups ?? {};
  if (!group) throw new Error(`${file}: the first line must be "# Group: Title" or "# Group: Title (log in)"`);
  const instructions = rest.join("\n").split("\n\n").map((each) => each.trim().replaceAll("\n", " ")).filter(Boolean);
  if (instructions.length === 0) throw new Error(`${file}: has no instructions`);
  const operations = parse(query).definitions.filter((each) => each.kind === "OperationDefinition");
  if (operations.length !== 1 || !operations[0].name) {
    throw new Error(`${file}: must hold exactly one operation, with a name: it becomes the tab's title`);
  }
  const [{ name, operation }] = operations;
  return { file, group, title, needsLogin: login !== undefined, instructions, name: name.value, operation, query };
}
