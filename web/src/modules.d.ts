declare module "*.graphql" {
  const text: string;
  export default text;
}

declare module "*.svg" {
  const address: string;
  export default address;
}

declare module "*.css";

/** The files of examples/, as examples.mjs reads them. */
declare module "moneta:examples" {
  const examples: {
    group: string;
    title: string;
    needsLogin: boolean;
    /** Paragraphs, with names between backticks. */
    instructions: string[];
    /** Of the operation. */
    name: string;
    query: string;
    /** JSON; see fills.ts for what stands between double braces. */
    variables: string | null;
    /** JSON: what the operation needs beside a log-in. */
    headers: string | null;
  }[];
  export default examples;
}
