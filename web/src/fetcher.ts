/** How GraphiQL reaches the graph: subscriptions over the socket, everything else over HTTP. */

import type { Fetcher, FetcherParams, Observable } from "@graphiql/toolkit";
import { type ExecutionResult, getOperationAST, Kind, type OperationDefinitionNode, parse } from "graphql";
import { isUnauthenticated, post } from "./http";
import type { Sink } from "./resuming";
import type { Session } from "./session";
import { explain, type Sockets } from "./sockets";

type Headers = Record<string, string>;

export function createFetcher(session: Session, sockets: Sockets): Fetcher {
  return (params, options) => {
    const headers: Headers = options?.headers ?? {};
    const operation = chosenOperation(params);
    const request = { ...params, operationName: operation?.name?.value ?? params.operationName };
    return operation?.operation === "subscription"
      ? subscribe(sockets, request, operation, headers)
      : execute(session, request, headers);
  };
}

/**
 * The operation to run, read from the text itself: just after a change of tabs GraphiQL still gives the name, and the
 * syntax tree, of the tab that was left. Undefined for text that does not parse: the server reports the error.
 */
function chosenOperation({ query, operationName }: FetcherParams): OperationDefinitionNode | undefined {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? undefined;
  } catch {
    return undefined;
  }
}

/** An expired session is renewed once, and the operation is sent again. */
async function execute(session: Session, params: FetcherParams, headers: Headers): Promise<ExecutionResult> {
  const result = await post(params, headers);
  const lapsed = isUnauthenticated(result.errors) && bearerOf(headers) === undefined;
  return lapsed && (await session.renew()) ? post(params, headers) : result;
}

/** Watches an operation. `Sockets` resumes one that ends with its connection or its session. */
function subscribe(
  sockets: Sockets,
  params: FetcherParams,
  operation: OperationDefinitionNode,
  headers: Headers,
): Observable<ExecutionResult> {
  function watch(observer: Sink<ExecutionResult>): { unsubscribe: () => void } {
    const stop = sockets.subscribe(params, variableOfAfter(operation), bearerOf(headers), {
      // GraphiQL types every error as a GraphQLError, though what it prints is the plain form that the wire carries.
      next: (result) => observer.next(result as ExecutionResult),
      error: (reason) => observer.error(explain(reason)),
      complete: () => observer.complete(),
    });
    return { unsubscribe: stop };
  }

  // GraphiQL watches with an object, never with the three functions that the type allows as well.
  return { subscribe: watch } as Observable<ExecutionResult>;
}

/** The variable that the subscription's field takes as `after`; null if there is none. */
function variableOfAfter({ selectionSet }: OperationDefinitionNode): string | null {
  const field = selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
  const after = field?.arguments?.find((argument) => argument.name.value === "after");
  return after?.value.kind === Kind.VARIABLE ? after.value.name.value : null;
}

function bearerOf(headers: Headers): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization")?.[1];
}
