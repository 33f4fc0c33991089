// Usage: node conformance/credentials.mjs <base url> <email> <password>
// Brings tokens as client libraries do, good ones and old ones, and calls from a page of another origin, where a browser
// runs. Exit code 0: all was so; 1: it was not; 77: only a browser was missing.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { Client as UrqlClient, fetchExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { startChromium } from "./chromium.mjs";

const SKIPPED = 77;
const VIEWER = "{ viewer { user { email } } }";
const CHAIN = "{ chain { height } }";
const LOGIN = `mutation ($email: String!, $password: String!) {
  login(input: { email: $email, password: $password, delivery: BEARER }) { ... on LoginPayload { accessToken } }
}`;
const OLD = "The token is not valid.";
const UNKNOWN_PLACE =
  "Send the token as `authorization: Bearer ...`, `token`, `accessToken` or `authToken`, here or in `headers`.";

const [base, email, password] = process.argv.slice(2);
if (!password) {
  console.error("usage: credentials.mjs <base url> <email> <password>");
  process.exit(2);
}
const endpoint = new URL("/graphql", base).href;
const socketUrl = endpoint.replace(/^http/, "ws");
const browser = await startChromium().catch((error) => {
  console.log(`no browser runs here (${error.message})`);
  return null;
});
try {
  const token = await overHttp();
  await overSockets(token);
  if (browser) await fromAnotherOrigin(token);
} catch (error) {
  console.log(`FAILED: ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
}
process.exit(process.exitCode ?? (browser ? 0 : SKIPPED));

/** With what clients send before they have a token, and after it is over: a log-in and public reads must work. */
async function overHttp() {
  let token;
  for (const authorization of ["", "Bearer ", "Bearer old.token", "Bearer undefined", "Basic YTpi"]) {
    const apollo = new ApolloClient({
      link: ApolloLink.from([new HttpLink({ uri: endpoint, headers: { authorization } })]),
      cache: new InMemoryCache(),
    });
    const login = await apollo.mutate({ mutation: gql(LOGIN), variables: { email, password } });
    token = login.data.login.accessToken;
    assert.ok(token);
    const urql = new UrqlClient({
      url: endpoint,
      preferGetMethod: false,
      exchanges: [fetchExchange],
      fetchOptions: { headers: { authorization } },
    });
    assert.ok((await urql.query(CHAIN, {})).data.chain.height > 0);
    const { data, error } = await urql.query(VIEWER, {});
    assert.equal(data.viewer, null);
    const isOld = /^Bearer \w/.test(authorization);
    if (isOld) assert.deepEqual(reasons(error), [["UNAUTHENTICATED", OLD]]);
    else if (authorization.startsWith("Basic")) assert.equal(reasons(error)[0][0], "UNAUTHENTICATED");
    else assert.equal(error, undefined);
    apollo.stop();
  }
  console.log("ok whoever has no token, or an old one, may log in and read what is public");
  return token;
}

async function overSockets(token) {
  const bearer = `Bearer ${token}`;
  const taken = [
    { Authorization: bearer },
    { authorization: bearer },
    { authorization: token },
    { headers: { Authorization: bearer } },
    { headers: { authorization: bearer } },
    { context: { headers: { Authorization: bearer } } },
    { token },
    { accessToken: token },
    { access_token: token },
    { authToken: token },
  ];
  for (const connectionParams of taken) assert.deepEqual(await asked(connectionParams), { email });
  for (const connectionParams of [undefined, {}, { authorization: "" }, { Authorization: null }]) {
    assert.deepEqual(await asked(connectionParams), { email: null });
  }
  for (const connectionParams of [{ authorization: "Bearer old.token" }, { headers: { Authorization: "old.token" } }]) {
    assert.deepEqual(await asked(connectionParams), { code: 4403, reason: OLD });
  }
  for (const connectionParams of [{ jwt: token }, { user: { authorization: bearer } }, { "x-api-key": token }]) {
    assert.deepEqual(await asked(connectionParams), { code: 4403, reason: UNKNOWN_PLACE });
  }
  console.log("ok a token is taken where clients put it, and refused elsewhere");

  const socket = (authorization) =>
    class extends WebSocket {
      constructor(address, protocols) {
        super(address, protocols, { headers: { authorization } });
      }
    };
  assert.deepEqual(await asked(undefined, { webSocketImpl: socket(bearer) }), { email });
  assert.deepEqual(await asked(undefined, { webSocketImpl: socket("Bearer old") }), { code: 4403, reason: OLD });
  assert.deepEqual(await asked({ token }, { webSocketImpl: socket("Bearer old") }), { email });
  console.log("ok a token may come with the handshake");

  let attempts = 0;
  const renewed = await asked(() => ({ token: attempts++ === 0 ? "old.token" : token }), { retryAttempts: 1 });
  assert.deepEqual([renewed, attempts], [{ email }, 2]);
  console.log("ok a client that is refused comes back with a new token");
}

/** Who the socket takes the client for, or how it was closed. */
function asked(connectionParams, options = {}) {
  const client = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
    retryWait: () => Promise.resolve(),
    ...options,
  });
  return new Promise((resolve, reject) => {
    let email;
    client.subscribe(
      { query: VIEWER },
      {
        next: ({ data, errors }) => (errors ? reject(new Error(JSON.stringify(errors))) : (email = data.viewer?.user.email ?? null)),
        error: ({ code, reason }) => resolve({ code, reason }),
        complete: () => resolve({ email }),
      },
    );
  }).finally(() => client.dispose());
}

/** A page of another port: what it can read, and that our visitor's cookies are not among what it can use. */
async function fromAnotherOrigin(token) {
  const server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<p>elsewhere</p>"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const context = await browser.newContext();
  try {
    const ours = await context.newPage();
    await ours.goto(new URL("/ide", base).href);
    const cookie = await ours.evaluate(
      async ([query, variables]) => {
        const body = JSON.stringify({ query, variables });
        const headers = { "content-type": "application/json" };
        return (await fetch("/graphql", { method: "POST", headers, body })).json();
      },
      [LOGIN.replace("BEARER", "COOKIE"), { email, password }],
    );
    assert.equal(cookie.data.login.accessToken, null);

    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const told = await page.evaluate(call, [endpoint, socketUrl, token, VIEWER, CHAIN]);
    assert.deepEqual(told.anonymous, { viewer: null });
    assert.deepEqual(told.bearer, { viewer: { user: { email } } });
    assert.equal(told.refused.code, "UNAUTHENTICATED");
    assert.match(told.refused.challenge, /invalid_token/);
    assert.ok(told.refused.requestId);
    assert.equal(told.malformed, 400);
    assert.equal(told.withCookies, "TypeError");
    assert.match(told.events, /event: next[^]*"height"/);
    assert.deepEqual(told.socket, { viewer: null });
    assert.deepEqual(told.socketWithToken, { viewer: { user: { email } } });
    console.log("ok a page of another origin reads, subscribes and brings tokens, and never uses our cookies");
  } finally {
    await context.close();
    server.close();
  }
}

/** Runs in the page. */
async function call([endpoint, socketUrl, token, viewer, chain]) {
  const known = {
    "content-type": "application/json",
    "apollo-require-preflight": "true",
    "apollographql-client-name": "web",
    "apollographql-client-version": "1",
    "x-apollo-operation-name": "Viewer",
    "graphql-require-preflight": "1",
    "x-request-id": "from-elsewhere",
    baggage: "a=b",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    "x-of-my-own": "1",
  };
  const post = (query, headers = {}, options = {}) =>
    fetch(endpoint, {
      method: "POST",
      headers: { ...known, ...headers },
      body: JSON.stringify({ query }),
      ...options,
    });
  const overSocket = (payload) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(socketUrl, "graphql-transport-ws");
      const say = (message) => socket.send(JSON.stringify(message));
      socket.onopen = () => say({ type: "connection_init", payload });
      socket.onclose = ({ code, reason }) => reject(new Error(`closed with ${code} ${reason}`));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "connection_ack") say({ type: "subscribe", id: "1", payload: { query: viewer } });
        if (message.type !== "next") return;
        resolve(message.payload.data);
        socket.close();
      };
    });
  const old = await post(viewer, { authorization: "Bearer old.token" });
  const malformed = await post("{", { accept: "application/graphql-response+json" });
  await malformed.json();
  return {
    anonymous: (await (await post(viewer)).json()).data,
    bearer: (await (await post(viewer, { authorization: `Bearer ${token}` })).json()).data,
    refused: {
      code: (await old.json()).errors[0].extensions.code,
      challenge: old.headers.get("www-authenticate"),
      requestId: old.headers.get("x-request-id"),
    },
    malformed: malformed.status,
    withCookies: await post(viewer, {}, { credentials: "include" }).then(
      () => "read",
      (error) => error.name,
    ),
    events: await (await post(chain, { accept: "text/event-stream", "last-event-id": "" })).text(),
    socket: await overSocket({}).catch((error) => error.message),
    socketWithToken: await overSocket({ headers: { Authorization: `Bearer ${token}` } }).catch((error) => error.message),
  };
}

function reasons(error) {
  return error.graphQLErrors.map(({ message, extensions }) => [extensions.code, message]);
}
