import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { importSource } from "./sources.mjs";

const { KEPT_ENDED, KEPT_EVENTS, Streams } = await importSource("streams.ts");
const REQUEST = { name: "Blocks", query: "subscription Blocks { x }", operationName: "Blocks", variables: null, connection: {} };

let opened;
let streams;
beforeEach(() => {
  opened = [];
  streams = new Streams((request, sink) => {
    const one = { request, sink, isStopped: false };
    opened.push(one);
    return () => (one.isStopped = true);
  });
});

function watcher() {
  const told = [];
  return {
    told,
    next: (result) => told.push(result.data?.x.n),
    error: (reason) => told.push(["error", reason]),
    complete: () => told.push("complete"),
  };
}

const event = (n, cursor = `c${n}`) => ({ data: { x: { cursor, n } } });
const numbers = (events) => events.map(({ result }) => result.data.x.n);
const only = () => streams.current()[0];

test("a stream goes on when nobody watches it", () => {
  const seen = watcher();
  const { id, detach } = streams.attach(REQUEST, seen);
  assert.equal(only().state, "waiting");
  opened[0].sink.next(event(1));
  detach();
  opened[0].sink.next(event(2));
  assert.deepEqual(seen.told, [1]);
  assert.equal(opened[0].isStopped, false);
  const { state, received, cursor, events } = only();
  assert.deepEqual({ id, state, received, cursor, events: numbers(events) }, { id: only().id, state: "live", received: 2, cursor: "c2", events: [1, 2] });
});

test("the same request finds the running stream and its newest event; another one starts another", () => {
  const first = streams.attach(REQUEST, watcher());
  opened[0].sink.next(event(1));
  const again = watcher();
  assert.equal(streams.attach({ ...REQUEST, name: "Other name" }, again).id, first.id);
  opened[0].sink.next(event(2));
  assert.deepEqual(again.told, [1, 2]);
  streams.attach({ ...REQUEST, variables: { a: 1 } }, watcher());
  streams.attach({ ...REQUEST, connection: { authorization: "Bearer t" } }, watcher());
  assert.equal(opened.length, 3);
});

test("what has ended is not found again", () => {
  const { id } = streams.attach(REQUEST, watcher());
  streams.stop(id);
  streams.attach(REQUEST, watcher());
  assert.deepEqual(streams.current().map(({ state }) => state), ["waiting", "stopped"]);
});

for (const [name, end, told, expected] of [
  ["stopped", ({ id }) => streams.stop(id), "complete", { state: "stopped", reason: null }],
  ["ended by the server", () => opened[0].sink.complete(), "complete", { state: "ended", reason: null }],
  ["failed", () => opened[0].sink.error([{ message: "No." }]), ["error", [{ message: "No." }]], { state: "failed", reason: "No." }],
]) {
  test(`a stream that is ${name} says so, once, and takes nothing more`, () => {
    const seen = watcher();
    end(streams.attach(REQUEST, seen));
    opened[0].sink.next(event(1));
    opened[0].sink.complete();
    assert.deepEqual(seen.told, [told]);
    assert.equal(opened[0].isStopped, true);
    const { state, reason, received } = only();
    assert.deepEqual({ state, reason, received }, { ...expected, received: 0 });
  });
}

test("a stream that fails while it is opened is no running one", () => {
  const refusing = new Streams((_, sink) => {
    sink.error(new Error("No socket."));
    return () => assert.fail("stopped");
  });
  const seen = watcher();
  refusing.attach(REQUEST, seen);
  assert.equal(refusing.current()[0].reason, "No socket.");
  assert.equal(seen.told.length, 1);
});

test("the newest events are kept, and the dropped ones counted", () => {
  streams.attach(REQUEST, watcher());
  for (let n = 1; n <= KEPT_EVENTS + 5; n += 1) opened[0].sink.next(event(n));
  const { received, dropped, events } = only();
  assert.deepEqual([received, dropped, events.length, events[0].number], [KEPT_EVENTS + 5, 5, KEPT_EVENTS, 6]);
});

test("while paused the list stands still; what was held back follows", () => {
  const { id } = streams.attach(REQUEST, watcher());
  opened[0].sink.next(event(1));
  streams.pause(id);
  for (let n = 2; n <= KEPT_EVENTS + 3; n += 1) opened[0].sink.next(event(n));
  assert.deepEqual(numbers(only().events), [1]);
  assert.deepEqual([only().received, only().held.length, only().dropped], [KEPT_EVENTS + 3, KEPT_EVENTS, 2]);
  streams.pause(id);
  assert.equal(only().held.length, KEPT_EVENTS, "a second pause forgets nothing");
  streams.resume(id);
  const { events, held, dropped, received } = only();
  assert.deepEqual([events.length, held, events.length + dropped], [KEPT_EVENTS, null, received]);
});

test("cleared events count as dropped", () => {
  const { id } = streams.attach(REQUEST, watcher());
  for (const n of [1, 2]) opened[0].sink.next(event(n));
  streams.clear(id);
  opened[0].sink.next(event(3));
  const { events, dropped, received } = only();
  assert.deepEqual([numbers(events), dropped, received], [[3], 2, 3]);
});

test("events without a cursor leave the newest one", () => {
  streams.attach(REQUEST, watcher());
  for (const result of [event(1), { data: { x: { n: 2 } } }, { data: null, errors: [{ message: "No." }] }]) {
    opened[0].sink.next(result);
  }
  assert.equal(only().cursor, "c1");
});

test("a few ended streams are kept, and all running ones; running ones cannot be removed", () => {
  const ids = [];
  for (let n = 0; n < KEPT_ENDED + 10; n += 1) ids.push(streams.attach({ ...REQUEST, variables: { n } }, watcher()).id);
  const [running, ...others] = ids;
  for (const id of others) streams.stop(id);
  streams.remove(running);
  assert.deepEqual(streams.current().filter(({ state }) => state === "waiting").map(({ id }) => id), [running]);
  assert.equal(streams.current().length, KEPT_ENDED + 1);
  streams.remove(others.at(-1));
  assert.equal(streams.current().length, KEPT_ENDED);
});

test("nothing of a viewer is left after a log-out, and what runs goes on", () => {
  const { id } = streams.attach(REQUEST, watcher());
  const ended = streams.attach({ ...REQUEST, variables: { n: 1 } }, watcher());
  for (const each of opened) each.sink.next(event(1));
  streams.stop(ended.id);
  streams.pause(id);
  opened[0].sink.next(event(2));
  streams.forget();
  assert.deepEqual(streams.current().map((stream) => [stream.id, stream.events, stream.held]), [[id, [], []]]);
  opened[0].sink.next(event(3));
  streams.resume(id);
  assert.deepEqual(numbers(only().events), [3]);
});

test("each change is announced with a new list", () => {
  const lists = [];
  streams.subscribe(() => lists.push(streams.current()));
  const { id } = streams.attach(REQUEST, watcher());
  opened[0].sink.next(event(1));
  streams.stop(id);
  assert.equal(new Set(lists).size, lists.length);
  assert.deepEqual(lists.map(([stream]) => stream.state), ["waiting", "live", "stopped"]);
});
