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
