import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, NEW_BLOCK, recorder } from "./scripted.mjs";
import { importSource } from "./sources.mjs";

const { renewOnExpiry } = await importSource("renewing.ts");
const EXPIRY = { expiresAt: "2026-11-21T12:00:00Z", expiresInS: 60 };

async function subscribed(t, renew) {
  const { client, script } = await connect(t);
  renewOnExpiry(client, renew);
  client.subscribe({ query: NEW_BLOCK }, recorder());
  await script.subscribed();
  return { client, script };
}

test("a warning is answered with the renewed token", async (t) => {
  const asked = [];
  const { script } = await subscribed(t, async (expiry) => {
    asked.push(expiry);
    return { authorization: "Bearer new" };
  });
  script.send({ type: "ping", payload: EXPIRY });
  assert.deepEqual(await script.received("pong"), { type: "pong", payload: EXPIRY }, "the echo of graphql-ws");
  assert.deepEqual(await script.received("pong"), { type: "pong", payload: { authorization: "Bearer new" } });
  assert.deepEqual(asked, [EXPIRY]);
});

test("other pings renew nothing", async (t) => {
  const { script } = await subscribed(t, () => assert.fail("asked to renew"));
  for (const payload of [undefined, { other: 1 }]) {
    script.send({ type: "ping", payload });
    await script.received("pong");
  }
  assert.deepEqual(script.incoming.rest(), []);
});

for (const [name, renew] of [
  ["cannot renew", async () => null],
  ["fails to renew", () => Promise.reject(new Error("offline"))],
]) {
  test(`a client that ${name} sends nothing`, async (t) => {
    const { script } = await subscribed(t, renew);
    script.send({ type: "ping", payload: EXPIRY });
    await script.received("pong");
    script.send({ type: "ping" });
    assert.deepEqual(await script.received("pong"), { type: "pong" });
  });
}

test("what was renewed for a lost socket is not sent on the next", async (t) => {
  let renewed;
  const renewal = new Promise((resolve) => (renewed = resolve));
  const { script } = await subscribed(t, () => renewal);
  script.send({ type: "ping", payload: EXPIRY });
  await script.received("pong");
  script.drop();
  await script.subscribed();
  renewed({ renewed: true });
  await renewal;
  script.send({ type: "ping" });
  assert.deepEqual(await script.received("pong"), { type: "pong" });
});
