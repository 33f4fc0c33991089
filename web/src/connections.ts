/** What a socket says when it opens: what the header editor says of each request. */

export type Connection = Readonly<Record<string, string>>;

/** By header, in small letters. */
const NAMES: Readonly<Record<string, string>> = {
  authorization: "authorization",
  "x-moneta-tenant": "tenant",
  "x-moneta-mode": "mode",
};

/** Always in the same order, so that equal ones are equal as text. Empty: the session's cookies, and no tenant. */
export function connectionOf(headers: Readonly<Record<string, string>>): Connection {
  const given = Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value] as const);
  const named = Object.entries(NAMES).flatMap(([header, name]) => {
    const value = given.find(([each]) => each === header)?.[1];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(named);
}
