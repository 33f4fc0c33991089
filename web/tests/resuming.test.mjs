import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, NEW_BLOCK, recorder } from "./scripted.mjs";
import { importSource } from "./sources.mjs";

const { subscribeResuming } = await importSource("resuming.ts");

/** The options that note what is called, among the sink's words. */
function noting(told, resync) {
  return {
    onGap: (gap) => told.put(`gap ${gap}`),
    ...(resync && {
      onResync: (errors) => {
        told.put(`resync ${errors[0].extensions.code}`);
        return resync();
      },
    }),
  };
}

test("each retry begins after the newest event", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  const payload = { query: NEW_BLOCK, variables: { other: 1 } };
  subscribeResuming(client, payload, told, noting(told));

  assert.deepEqual(await script.subscribed(), { query: NEW_BLOCK, variables: { other: 1 } });
  script.block(1);
  script.block(2);
  assert.deepEqual([await told.take(), await told.take()], [1, 2]);
  script.drop();
  assert.deepEqual((await script.subscribed()).variables, { other: 1, after: "c2" });
  script.drop(4403);
  assert.deepEqual((await script.subscribed()).variables, { other: 1, after: "c2" });
  script.block(3);
  assert.equal(await told.take(), 3);
  script.drop(1013);
  assert.deepEqual((await script.subscribed()).variables, { other: 1, after: "c3" });
  assert.deepEqual(payload, { query: NEW_BLOCK, variables: { other: 1 } }, "the caller's payload is untouched");
  assert.deepEqual(told.rest(), []);
});

test("a cursor handed over from a query is kept until an event comes", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK, variables: { after: "c7" } }, told, noting(told));

  assert.deepEqual((await script.subscribed()).variables, { after: "c7" });
  script.drop();
  assert.deepEqual((await script.subscribed()).variables, { after: "c7" });
  script.block(8);
  assert.equal(await told.take(), 8);
  assert.deepEqual(told.rest(), []);
});

test("an event counts even when the sink drops the connection over it", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  const sink = {
    ...told,
    next(result) {
      told.next(result);
      if (result.data.blocks.block.height === 2) client.terminate();
    },
  };
  subscribeResuming(client, { query: NEW_BLOCK }, sink);
  await script.subscribed();
  script.block(1);
  script.block(2);
  assert.deepEqual([await told.take(), await told.take()], [1, 2]);
  assert.deepEqual((await script.subscribed()).variables, { after: "c2" });
});

test("completion and other errors pass through, and end it", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK }, told, noting(told));
  await script.subscribed();
  script.complete();
  assert.equal(await told.take(), "complete");

  subscribeResuming(client, { query: NEW_BLOCK }, told, noting(told));
  await script.subscribed();
  script.refuse("FORBIDDEN");
  assert.equal(await told.take(), "error FORBIDDEN");
  assert.deepEqual(told.rest(), []);
});

test("errors within an event are handed on, and do not move the place", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK }, told, noting(told));
  await script.subscribed();
  script.block(1);
  script.send({ id: script.id, type: "next", payload: { data: null, errors: [{ message: "Broken." }] } });
  assert.deepEqual([await told.take(), await told.take()], [1, "errors Broken."]);
  script.drop();
  assert.deepEqual((await script.subscribed()).variables, { after: "c1" });
});

test("unsubscribing tells the server, and nothing comes after it", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  const stop = subscribeResuming(client, { query: NEW_BLOCK }, told, noting(told));
  await script.subscribed();
  stop();
  assert.equal((await script.received("complete")).id, script.id);
  assert.equal(await told.take(), "complete");
  stop();
  assert.deepEqual(told.rest(), []);
});

for (const [gap, query, event] of [
  ["not-resumable", "subscription { blocks { cursor block { height } } }", { cursor: "c1", block: { height: 1 } }],
  ["not-resumable", `# $after: Cursor\nsubscription { blocks(x: "$after:") { cursor } }`, { cursor: "c1", block: { height: 1 } }],
  ["no-cursor", "subscription ($after: Cursor) { blocks(after: $after) { block { height } } }", { block: { height: 1 } }],
  ["no-event", NEW_BLOCK, null],
]) {
  test(`a reconnection that cannot resume is a gap: ${gap}, ${query.length} characters`, async (t) => {
    const { client, script } = await connect(t);
    const told = recorder();
    subscribeResuming(client, { query }, told, noting(told));
    await script.subscribed();
    if (event) {
      script.send({ id: script.id, type: "next", payload: { data: { blocks: event } } });
      assert.equal(await told.take(), 1);
    }
    script.drop();
    assert.equal((await script.subscribed()).variables, undefined);
    assert.equal(await told.take(), `gap ${gap}`);
    assert.deepEqual(told.rest(), []);
  });
}

test("another variable than `after`", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  const query = "subscription Blocks($from : Cursor) { blocks(after: $from) { cursor block { height } } }";
  subscribeResuming(client, { query }, told, { ...noting(told), variable: "from" });
  await script.subscribed();
  script.block(1);
  assert.equal(await told.take(), 1);
  script.drop();
  assert.deepEqual((await script.subscribed()).variables, { from: "c1" });
  assert.deepEqual(told.rest(), []);
});

test("without onResync the refusal is an error", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK, variables: { after: "old" } }, told, noting(told));
  await script.subscribed();
  script.refuse("RESYNC_REQUIRED");
  assert.equal(await told.take(), "error RESYNC_REQUIRED");
  assert.deepEqual(told.rest(), []);
});

test("onResync says where to go on, each time that events had come", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK, variables: { after: "old" } }, told, noting(told, async () => "c10"));
  for (const height of [11, 21]) {
    await script.subscribed();
    script.refuse("RESYNC_REQUIRED");
    assert.equal(await told.take(), "resync RESYNC_REQUIRED");
    assert.deepEqual((await script.subscribed()).variables, { after: "c10" });
    script.block(height);
    assert.equal(await told.take(), height);
    script.drop();
  }
  assert.deepEqual(told.rest(), []);
});

test("onResync may go on from now", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK, variables: { after: "old" } }, told, noting(told, () => null));
  await script.subscribed();
  script.refuse("RESYNC_REQUIRED");
  assert.equal(await told.take(), "resync RESYNC_REQUIRED");
  assert.deepEqual((await script.subscribed()).variables, { after: null });
  script.drop();
  await script.subscribed();
  assert.equal(await told.take(), "gap no-event");
  assert.deepEqual(told.rest(), []);
});

test("refused again before any event: an error, not a loop", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK, variables: { after: "old" } }, told, noting(told, () => "old"));
  await script.subscribed();
  script.refuse("RESYNC_REQUIRED");
  assert.equal(await told.take(), "resync RESYNC_REQUIRED");
  await script.subscribed();
  script.refuse("RESYNC_REQUIRED");
  assert.equal(await told.take(), "error RESYNC_REQUIRED");
  assert.deepEqual(told.rest(), []);
});

test("what onResync throws is the error", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(
    client,
    { query: NEW_BLOCK },
    told,
    noting(told, () => Promise.reject("offline")),
  );
  await script.subscribed();
  script.refuse("RESYNC_REQUIRED");
  assert.deepEqual([await told.take(), await told.take()], ["resync RESYNC_REQUIRED", "offline"]);
});

test("unsubscribed while onResync is under way: it does not begin again", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  let answer;
  const asked = new Promise((resolve) => (answer = resolve));
  const stop = subscribeResuming(client, { query: NEW_BLOCK }, told, noting(told, () => asked));
  await script.subscribed();
  script.refuse("RESYNC_REQUIRED");
  assert.equal(await told.take(), "resync RESYNC_REQUIRED");
  stop();
  answer("c1");
  assert.equal(await told.take(), "complete");
  assert.deepEqual(told.rest(), []);
});

test("over server-sent events, the refusal comes as a result, and then completion", async (t) => {
  const { client, script } = await connect(t);
  const told = recorder();
  subscribeResuming(client, { query: NEW_BLOCK, variables: { after: "old" } }, told, noting(told, () => "c4"));
  await script.subscribed();
  const errors = [{ message: "No.", extensions: { code: "RESYNC_REQUIRED" } }];
  script.send({ id: script.id, type: "next", payload: { data: null, errors } });
  script.complete();
  assert.equal(await told.take(), "resync RESYNC_REQUIRED");
  assert.equal((await script.incoming.take()).type, "complete");
  assert.deepEqual((await script.subscribed()).variables, { after: "c4" });
  script.block(5);
  assert.equal(await told.take(), 5);
  assert.deepEqual(told.rest(), []);
});
