// Usage: node conformance/renewal.mjs <base url> <email> <password>
// Needs a server whose access tokens live for some seconds only (MONETA_ACCESS_TOKEN_TTL_S). Keeps a socket open past
// the end of its token: as a client with a bearer token, and as our page, whose session is in cookies, where a browser
// runs. A client that does not renew is closed. Exit code 0: all was so; 1: it was not; 77: only a browser was missing.
import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { importSource } from "../tests/sources.mjs";
import { startChromium } from "./chromium.mjs";
import { Ide } from "./ide.mjs";
import { tapSockets } from "./tap.mjs";

const { renewOnExpiry } = await importSource("renewing.ts");

const SKIPPED = 77;
const PAYMENTS = "subscription ($after: Cursor) { transactionUpdates(after: $after) { cursor } }";
const TOKENS = "accessToken refreshToken accessTokenExpiresAt";
const LOGIN = `mutation ($email: String!, $password: String!) {
  login(input: { email: $email, password: $password, delivery: BEARER }) { ... on LoginPayload { ${TOKENS} } }
}`;
const REFRESH = `mutation ($token: String!) {
  refreshSession(input: { refreshToken: $token }) { ... on RefreshSessionPayload { ${TOKENS} } }
}`;

const [base, email, password] = process.argv.slice(2);
if (!password) {
  console.error("usage: renewal.mjs <base url> <email> <password>");
  process.exit(2);
}
const endpoint = new URL("/graphql", base).href;
const browser = await startChromium().catch((error) => {
  console.log(`no browser runs here (${error.message})`);
  return null;
});
try {
  await Promise.all([whoDoesNotRenewIsClosed(), whoRenewsStays(), ...(browser ? [thePageStays(browser)] : [])]);
} catch (error) {
  console.log(`FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
}
process.exit(process.exitCode ?? (browser ? 0 : SKIPPED));

async function whoDoesNotRenewIsClosed() {
  const { closed, stop, expiresAt } = await watch(() => Promise.resolve(null));
  const event = await closed;
  assert.equal(event.code, 4403, event.reason);
  assert.ok(Date.now() >= expiresAt - 1000, "closed before the token had expired");
  stop();
  console.log("ok without a new token the socket is closed with 4403");
}

async function whoRenewsStays() {
  let renewals = 0;
  const { closed, stop, expiresAt } = await watch(async (tokens) => {
    renewals += 1;
    Object.assign(tokens, (await post(REFRESH, { token: tokens.refreshToken })).refreshSession);
    return { authorization: `Bearer ${tokens.accessToken}` };
  });
  const first = await Promise.race([closed, until(expiresAt + 2000)]);
  assert.equal(first, undefined, `closed with ${first?.code} ${first?.reason}`);
  assert.ok(renewals > 0, "the server has not warned");
  stop();
  assert.equal((await closed).code, 1000);
  console.log(`ok ${renewals} new tokens kept the socket open`);
}

async function thePageStays(chromium) {
  const page = await chromium.newPage();
  const sockets = await tapSockets(page);
  const ide = new Ide(page);
  await page.goto(new URL("/ide", base).href);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByLabel("Password").fill(password);
  await dialog.locator("button[type=submit]").click();
  await ide.viewer.waitFor();
  await ide.openExample("TransactionUpdates");
  await ide.run();
  await sockets.sent("subscribe");
  let renewals = 0;
  while (renewals < 2) {
    if ((await sockets.sent("pong"))?.renewed === true) renewals += 1;
  }
  assert.equal(sockets.untaken("subscribe"), 0, "the page had to subscribe again");
  console.log(`ok the page renewed its session ${renewals} times and kept its socket`);
}

/** A subscription with a session of its own; `closed` resolves to how its first socket ended, `expiresAt` is in ms. */
async function watch(renew) {
  const tokens = (await post(LOGIN, { email, password })).login;
  const expiresAt = Date.parse(tokens.accessTokenExpiresAt);
  const client = createClient({
    url: endpoint.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tokens.accessToken}` },
    retryAttempts: 0,
  });
  renewOnExpiry(client, () => renew(tokens));
  const closed = new Promise((resolve) => client.on("closed", resolve));
  const stop = client.subscribe({ query: PAYMENTS }, { next() {}, error() {}, complete() {} });
  return { closed, stop, expiresAt };
}

async function post(query, variables) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

function until(time) {
  return new Promise((resolve) => setTimeout(resolve, time - Date.now()));
}
