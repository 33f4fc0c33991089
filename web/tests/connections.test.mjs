import assert from "node:assert/strict";
import { test } from "node:test";
import { importSource } from "./sources.mjs";

const { connectionOf } = await importSource("connections.ts");

test("what a socket says is what the headers say, whatever their case and order", () => {
  const said = { authorization: "Bearer t", tenant: "demo", mode: "test" };
  assert.deepEqual(connectionOf({ "X-Moneta-Tenant": "demo", "X-MONETA-MODE": "test", Authorization: "Bearer t" }), said);
  const texts = [
    { "x-moneta-mode": "test", authorization: "Bearer t", "x-moneta-tenant": "demo" },
    { authorization: "Bearer t", "X-Moneta-Tenant": "demo", "x-moneta-mode": "test" },
  ].map((headers) => JSON.stringify(connectionOf(headers)));
  assert.equal(texts[0], texts[1]);
});

test("other headers are not sent", () => {
  assert.deepEqual(connectionOf({ "x-other": "1", cookie: "a" }), {});
});
