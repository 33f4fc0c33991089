// Usage: node conformance/browser.mjs <base url> [--screenshots folder]
// A user's path through /ide in headless Chromium, step by step. Needs a server with demo log-ins; see visit.mjs.
import assert from "node:assert/strict";
import { Ide } from "./ide.mjs";
import { tapSockets } from "./tap.mjs";
import { inBrowser, step } from "./visit.mjs";

/** A visit to /ide, with nothing cached. */
const VISIT_BYTES = 1_500_000;
const EMAIL = "alice@example.com";
const STREAM = "Blocks";

await inBrowser(async (visit) => {
  const page = await visit.newPage();
  const sockets = await tapSockets(page);
  const visited = weigh(page);
  const ide = new Ide(page);
  await step("open /ide", () => ide.open(visit));
  await step("the first tab's query is answered", async () => {
    await ide.run();
    await ide.answer();
  });
  await step("the documentation shows the schema", () => showSchema(page));
  await step("log in with a demo button", () => ide.logIn(EMAIL));
  await followStream(ide, sockets);
  // By now whatever a visit asks for has been asked for.
  await step("a visit asks for the schema once, and weighs little", async () => {
    assert.equal(visited.introspections(), 1);
    const bytes = await visited.bytes();
    console.log(`  ${bytes.toLocaleString("en")} bytes on the wire`);
    assert.ok(bytes < VISIT_BYTES, `${bytes} bytes`);
  });
  await step("an edited example is restored", () => restore(ide));
  await step("a reload keeps the log-in and the tab", async () => {
    await page.reload();
    await ide.viewer.waitFor();
    assert.equal(await ide.viewer.textContent(), EMAIL);
    await ide.isOpen(STREAM);
  });
  await step("log out, for good", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await ide.viewer.waitFor({ state: "detached" });
    await page.reload();
    await page.locator("[data-demo-login]").first().waitFor();
    assert.equal(await ide.viewer.count(), 0);
  });
});

async function followStream(ide, sockets) {
  const { page } = ide;
  const notice = page.locator(".moneta-notice");
  const stream = ide.stream(STREAM);
  await step(`a first event arrives at ${STREAM}, in the response and in the list`, async () => {
    await ide.openExample(STREAM);
    await ide.run();
    await ide.answer(/"blocks"/);
    await stream.first();
    assert.ok((await stream.events.count()) > 0);
  });
  await step("a lost connection is taken up after the newest event, without a word", async () => {
    const { after: first, ...others } = (await sockets.sent("subscribe")).variables ?? {};
    assert.equal(first, undefined);
    await sockets.drop();
    const { after, ...same } = (await sockets.sent("subscribe")).variables;
    assert.ok(sockets.cursors.includes(after), `${after} is none of ${sockets.cursors}`);
    assert.deepEqual(same, others);
    assert.equal(await notice.count(), 0);
  });
  await step("GraphiQL's stop button stops the subscription", async () => {
    await ide.run();
    await stream.is("stopped");
    await sockets.sent("complete");
  });
  await step("a connection that is lost before the first event is a notice", async () => {
    sockets.mute();
    await ide.run();
    await sockets.sent("subscribe");
    await sockets.drop();
    await sockets.sent("subscribe");
    await notice.getByText("Events may be missing").waitFor();
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
    await ide.stream(STREAM).press("Stop");
    await ide.stream(STREAM).is("stopped");
  });
}

async function restore(ide) {
  const { page } = ide;
  assert.equal(await ide.restore.count(), 0);
  await page.locator(".graphiql-query-editor .view-line").first().click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type(`query ${STREAM} # ${"a line that is longer than the editor is wide ".repeat(5)}`);
  assert.ok((await page.locator(".graphiql-query-editor .view-line").count()) > 1, "a long line is wrapped");
  await ide.restore.click();
  await page.locator(".graphiql-query-editor .view-lines").getByText("subscription").first().waitFor();
  await ide.restore.waitFor({ state: "detached" });
}

async function showSchema(page) {
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.locator(".graphiql-doc-explorer-content").getByText("Query", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
}

/** What a page asks for, its workers included, and what of that comes over the wire. */
function weigh(page) {
  const seen = [];
  page.context().on("request", (request) => seen.push(request));
  return {
    introspections: () => seen.filter((request) => request.postData()?.includes("__schema")).length,
    /** By what the server announces: the browser does not report the size of a worker's own script. A file is loaded once. */
    async bytes() {
      const sizes = new Map();
      for (const request of seen) {
        const length = (await request.response()).headers()["content-length"];
        assert.ok(length, `${request.url()} has no length`);
        sizes.set(request.method() === "GET" ? request.url() : request, Number(length));
      }
      return [...sizes.values()].reduce((sum, size) => sum + size, 0);
    },
  };
}
