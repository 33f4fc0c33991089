/** How GraphiQL reaches the graph: subscriptions over the socket, everything else over HTTP. */

import type { Fetcher, FetcherParams, Observable } from "@graphiql/toolkit";
import { type ExecutionResult, getOperationAST, Kind, type OperationDefinitionNode, parse } from "graphql";
import { connectionOf } from "./connections";
import { isUnauthenticated, post } from "./http";
import type { Sink } from "./resuming";
import type { Session } from "./session";
import { explain, type Sockets } from "./sockets";
import type { OpenStream, StreamRequest, Streams } from "./streams";
import type { OpenTab } from "./tabs";

type Headers = Record<string, string>;

export function createFetcher(session: Session, streams: Streams, tab: OpenTab): Fetcher {
  return (params, options) => {
    const headers: Headers = options?.headers ?? {};
    const operation = chosenOperation(params);
    const operationName = operation?.name?.value ?? params.operationName ?? null;
    if (operation?.operation !== "subscription") return execute(session, { ...params, operationName }, headers);
    const variables = (params.variables ?? null) as StreamRequest["variables"];
    const name = operationName ?? "subscription";
    return watch(streams, tab, { name, query: params.query, operationName, variables, connection: connectionOf(headers) });
  };
}

/** How streams are opened: by `sockets`, which resumes one that ends with its connection or its session. */
export function openBySocket(sockets: Sockets): OpenStream {
  return ({ query, operationName, variables, connection }, sink) => {
    const operation = chosenOperation({ query, operationName });
    const variable = operation ? variableOfAfter(operation) : null;
    return sockets.subscribe({ query, operationName, variables }, variable, connection, {
      ...sink,
      error: (reason) => sink.error(explain(reason)),
    });
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
  const lapsed = isUnauthenticated(result.errors) && connectionOf(headers).authorization === undefined;
  return lapsed && (await session.renew()) ? post(params, headers) : result;
}

/**
 * Shows a stream in the open tab. The stream is not the tab's: when the tab is left only the showing ends, and when the
 * same is started again the tab shows the stream that is still running. GraphiQL's stop button stops it.
 */
function watch(streams: Streams, tab: OpenTab, request: StreamRequest): Observable<ExecutionResult> {
  function subscribe(observer: Sink<ExecutionResult>): { unsubscribe: () => void } {
    const { id, detach } = streams.attach(request, {
      // GraphiQL types every error as a GraphQLError, though what it prints is the plain form that the wire carries.
      next: (result) => observer.next(result as ExecutionResult),
      error: (reason) => observer.error(reason),
      complete: () => observer.complete(),
    });
    let wasLeft = false;
    const stay = tab.onLeave(() => {
      wasLeft = true;
      detach();
      // GraphiQL opens a new tab without ending what the old one shows: the events would appear in the new one.
      observer.complete();
    });
    return {
      unsubscribe() {
        detach();
        // GraphiQL unsubscribes just before it changes tabs: whether that is the reason is known a moment later.
        queueMicrotask(() => {
          stay();
          if (!wasLeft) streams.stop(id);
        });
      },
    };
  }

  // GraphiQL watches with an object, never with the three functions that the type allows as well.
  return { subscribe } as Observable<ExecutionResult>;
}

/** The variable that the subscription's field takes as `after`; null if there is none. */
function variableOfAfter({ selectionSet }: OperationDefinitionNode): string | null {
  const field = selectionSet.selections.find((selection) => selection.kind === Kind.FIELD);
  const after = field?.arguments?.find((argument) => argument.name.value === "after");
  return after?.value.kind === Kind.VARIABLE ? after.value.name.value : null;
}
