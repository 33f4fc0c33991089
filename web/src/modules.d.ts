declare module "*.graphql" {
  const text: string;
  export default text;
}

declare module "*.svg" {
  const address: string;
  export default address;
}

declare module "*.css";

/** The files of examples/, read by build.mjs. */
declare module "moneta:examples" {
  const tabs: { query: string; variables: string | null }[];
  export default tabs;
}

/** File names of the Monaco workers, beside the page's own script; filled in by build.mjs. */
declare const WORKER_SCRIPTS: Record<"editor" | "json" | "graphql", string>;
