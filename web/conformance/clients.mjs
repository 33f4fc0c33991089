// Usage: MONETA_TOKEN=... node conformance/clients.mjs <client> <base url> [--blocks-after cursor] [--payments-after cursor]
// Watches blocks and payments with a real client library, through whatever happens to the server, until its standard
// input ends; then it unsubscribes. Prints a line of JSON for each thing that happens; tests/e2e/test_clients.py judges
// them. Exit code 0: both subscriptions ended because they were stopped, and nothing was left open.
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { CombinedProtocolErrors } from "@apollo/client/errors";
import { RetryLink } from "@apollo/client/link/retry";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client as UrqlClient, subscriptionExchange } from "@urql/core";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import { tap } from "rxjs";
import { WebSocket } from "ws";
import { importSource } from "../tests/sources.mjs";

const { subscribeResuming } = await importSource("resuming.ts");

const RETRY_MS = 250;
const BLOCKS = "subscription Blocks($after: Cursor) { blocks(after: $after) { cursor block { height hash } } }";
const PAYMENTS =
  "subscription Payments($after: Cursor) { transactionUpdates(after: $after) { cursor transaction { hash } } }";

/** Each gives `watch(query, variables, sink)`, which returns what stops it. */
const CLIENTS = { "graphql-ws": graphqlWs, "graphql-sse": graphqlSse, apollo, "apollo-http": apolloHttp, urql };

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { "blocks-after": { type: "string" }, "payments-after": { type: "string" } },
});
const [name, base] = positionals;
const token = process.env.MONETA_TOKEN;
if (!(name in CLIENTS) || !base || !token) {
  console.error(`usage: MONETA_TOKEN=... clients.mjs ${Object.keys(CLIENTS).join("|")} <base url>`);
  process.exit(2);
}
const url = new URL("/graphql", base).href;
const authorization = `Bearer ${token}`;
const resuming = {
  onGap: (gap) => say("gap", { gap }),
  onResync: (errors) => {
    say("resync", {});
    throw errors;
  },
};

let stopping = false;
const watch = CLIENTS[name]();
const stops = [
  watch(BLOCKS, after(options["blocks-after"]), sink("blocks")),
  watch(PAYMENTS, after(options["payments-after"]), sink("transactionUpdates")),
];
createInterface({ input: process.stdin }).on("close", () => {
  stopping = true;
  for (const stop of stops) stop();
});

function graphqlWs() {
  const client = wsClient();
  return (query, variables, sink) => subscribeResuming(client, { query, variables }, sink, resuming);
}

/** graphql-sse reads no `id:` and sends no `Last-Event-ID`; it takes the payload anew for each attempt, as graphql-ws. */
function graphqlSse() {
  const client = createSseClient({
    url,
    headers: { authorization },
    retryAttempts: Infinity,
    retry: () => pause(),
  });
  return (query, variables, sink) => subscribeResuming(client, { query, variables }, sink, resuming);
}

function apollo() {
  // What its link compares an error's socket with; Node itself has one from version 22 on.
  globalThis.WebSocket ??= WebSocket;
  return apolloOver(new GraphQLWsLink(resumingClient()));
}

/** Multipart, which is all that its clients speak over HTTP. */
function apolloHttp() {
  const retrying = new RetryLink({ delay: () => RETRY_MS, attempts: (count, operation, error) => isPassing(error) });
  return apolloOver(ApolloLink.from([retrying, continuing(), new HttpLink({ uri: url, headers: { authorization } })]));
}

/** Whether a stream that ended with this error may be opened again: the connection was lost, or the server is stopping. */
function isPassing(error) {
  if (!CombinedProtocolErrors.is(error)) return true;
  const [{ extensions }] = error.errors;
  if (extensions.code === "RESYNC_REQUIRED") say("resync", {});
  return extensions.code === "MAINTENANCE";
}

/** Puts the cursor of the newest event into each new attempt. It comes after what retries. */
function continuing() {
  const cursors = new WeakMap();
  return new ApolloLink((operation, forward) => {
    if (cursors.has(operation)) operation.variables = { ...operation.variables, after: cursors.get(operation) };
    return forward(operation).pipe(
      tap(({ data }) => {
        const [event] = Object.values(data ?? {});
        if (event?.cursor) cursors.set(operation, event.cursor);
      }),
    );
  });
}

function apolloOver(link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return (query, variables, sink) => {
    const watching = client.subscribe({ query: gql(query), variables, fetchPolicy: "no-cache" }).subscribe({
      ...sink,
      next: ({ data, error }) => (error ? sink.error(error) : sink.next({ data })),
    });
    return () => {
      watching.unsubscribe();
      client.stop();
    };
  };
}

function urql() {
  const socket = resumingClient();
  const client = new UrqlClient({
    url,
    preferGetMethod: false,
    exchanges: [
      subscriptionExchange({
        forwardSubscription: (payload) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe(payload, sink) }),
        }),
      }),
    ],
  });
  return (query, variables, sink) => {
    const watching = client
      .subscription(query, variables)
      .subscribe(({ data, error }) => (error ? sink.error(error) : sink.next({ data })));
    return () => watching.unsubscribe();
  };
}

/** A graphql-ws client for the libraries that are handed one. */
function resumingClient() {
  const client = wsClient();
  return { ...client, subscribe: (payload, sink) => subscribeResuming(client, payload, sink, resuming) };
}

function wsClient() {
  return createWsClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: Infinity,
    retryWait: pause,
    shouldRetry: () => true,
    on: {
      connected: () => say("connected", {}),
      closed: ({ code }) => say("closed", { code }),
    },
  });
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

function after(cursor) {
  return cursor === undefined ? {} : { after: cursor };
}

function sink(field) {
  let failed = false;

  function fail(reason) {
    failed = true;
    process.exitCode = 1;
    say("error", { reason: reason instanceof Error ? reason.message : JSON.stringify(reason) });
  }

  return {
    next: ({ data, errors }) => (errors ? fail(errors) : say(field, data[field])),
    error: fail,
    complete: () => stopping || failed || fail("completed by the server"),
  };
}

function say(what, details) {
  console.log(JSON.stringify({ what, ...details }));
}
