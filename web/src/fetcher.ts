/** How GraphiQL reaches the graph: subscriptions over the socket, everything else over HTTP. */

import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { type ExecutionResult, getOperationAST, type OperationDefinitionNode, parse } from "graphql";
import { isUnauthenticated, post } from "./http";
import type { Session } from "./session";
import { explain, type Sockets } from "./sockets";

type Headers = Record<string, string>;
type Events = AsyncIterableIterator<ExecutionResult>;

export function createFetcher(session: Session, sockets: Sockets): Fetcher {
  return (params, options) => {
    const headers: Headers = options?.headers ?? {};
    const operation = chosenOperation(params);
    const request = { ...params, operationName: operation?.name?.value ?? params.operationName };
    return operation?.operation === "subscription"
      ? subscribe(session, sockets, request, headers)
      : execute(session, request, headers);
  };
}

/**
 * The operation to run, read from the text itself: just after a change of tabs GraphiQL still gives the name, and the
 * syntax tree, of the tab that was left. Undefined for what does not parse: the server says it best.
 */
function chosenOperation({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? undefined;
  } catch {
    return undefined;
  }
}

/** A session that ran out is renewed once, and the operation sent again. */
async function execute(session: Session, params: FetcherParams, headers: Headers): Promise<ExecutionResult> {
  const result = await post(params, headers);
  const lapsed = isUnauthenticated(result.errors) && bearerOf(headers) === undefined;
  return lapsed && (await session.renew()) ? post(params, headers) : result;
}

/** As `execute`, for a subscription: written as an iterator, since a generator could not be stopped between events. */
function subscribe(session: Session, sockets: Sockets, params: FetcherParams, headers: Headers): Events {
  const bearer = bearerOf(headers);
  let events = sockets.subscribe(params, bearer);
  let mayRenew = bearer === undefined;

  async function renewed(errors: unknown): Promise<boolean> {
    if (!mayRenew || !isUnauthenticated(errors)) return false;
    mayRenew = false;
    if (!(await session.renew())) return false;
    sockets.reconnect();
    events = sockets.subscribe(params, bearer);
    return true;
  }

  return {
    async next() {
      try {
        const event = await events.next();
        const errors = event.done ? undefined : event.value.errors;
        return (await renewed(errors)) ? await events.next() : event;
      } catch (reason) {
        if (await renewed(reason)) return events.next();
        throw explain(reason);
      }
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function bearerOf(headers: Headers): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization")?.[1];
}
