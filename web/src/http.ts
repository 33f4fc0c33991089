/** GraphQL over HTTP, to our own origin. */

import type { FetcherParams } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";

export const GRAPHQL_PATH = "/graphql";

/**
 * Sends one operation and returns its response, whatever the status, as long as the body is a GraphQL response.
 * Throws with the status and the text when it is not: a proxy's page, a refusal before GraphQL.
 */
export async function post(params: FetcherParams, headers: Record<string, string> = {}): Promise<ExecutionResult> {
  const response = await fetch(GRAPHQL_PATH, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  const result = parse(text);
  if (result === null) {
    throw new Error(`HTTP ${response.status}: ${text.slice(0, 300) || "an empty reply"}`);
  }
  return result;
}

function parse(text: string): ExecutionResult | null {
  try {
    const body: unknown = JSON.parse(text);
    const isResponse = typeof body === "object" && body !== null && ("data" in body || "errors" in body);
    return isResponse ? (body as ExecutionResult) : null;
  } catch {
    return null;
  }
}

/** Whether the server refused because there is no valid session. */
export function isUnauthenticated(errors: unknown): boolean {
  return (
    Array.isArray(errors) &&
    errors.some((error: { extensions?: { code?: unknown } }) => error.extensions?.code === "UNAUTHENTICATED")
  );
}
