/** GraphQL subscriptions over graphql-transport-ws: one lazy socket that comes back by itself. */

import type { FetcherParams } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";
import { type Client, createClient } from "graphql-ws";
import { GRAPHQL_PATH } from "./http";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

export class Sockets {
  private bearer: string | undefined;
  private readonly client: Client;

  constructor() {
    const address = new URL(GRAPHQL_PATH, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.client = createClient({
      url: address.href,
      lazy: true,
      keepAlive: 10_000,
      retryAttempts: Infinity,
      retryWait: backOff,
      connectionParams: () => (this.bearer === undefined ? {} : { authorization: this.bearer }),
    });
  }

  /** The cookie authenticates the socket; a bearer, when the person typed one, goes with the connection instead. */
  subscribe(params: FetcherParams, bearer: string | undefined): AsyncIterableIterator<ExecutionResult> {
    if (bearer !== this.bearer) {
      this.bearer = bearer;
      this.reconnect();
    }
    const events = this.client.iterate({
      query: params.query,
      variables: params.variables ?? null,
      operationName: params.operationName ?? null,
    });
    // GraphiQL types every error as a GraphQLError, though what it prints is the plain form that the wire carries.
    return events as AsyncIterableIterator<ExecutionResult>;
  }

  /** Cookies are read when a socket opens: a new session needs a new socket. Running subscriptions start again on it. */
  reconnect(): void {
    this.client.terminate();
  }
}

function backOff(retries: number): Promise<void> {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}

/** Words for what ended a subscription: a close event says nothing of itself when it is printed. */
export function explain(reason: unknown): unknown {
  if (!(reason instanceof CloseEvent)) return reason;
  return new Error(`The server closed the subscription: ${reason.code} ${reason.reason || "without a reason"}`);
}
