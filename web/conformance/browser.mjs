// Usage: node conformance/browser.mjs <base url> [--screenshot file.png] [--dark]
// Uses /ide as a person would, in headless Chromium, and prints each step. Needs a server with demo log-ins.
// Exit code 0: all steps passed; 1: one failed; 77: skipped, because no browser runs on this machine.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "graphql";
import { startChromium } from "./chromium.mjs";
import { tapSockets } from "./tap.mjs";

const SKIPPED = 77;
/** A step that takes longer counts as hanging. A busy machine is slow, and a block is mined only every ten seconds. */
const HANG_MS = 300_000;

/** A visit to /ide, with nothing cached. */
const VISIT_BYTES = 1_500_000;

const examples = join(dirname(dirname(fileURLToPath(import.meta.url))), "examples");

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { screenshot: { type: "string" }, dark: { type: "boolean", default: false } },
});
if (positionals.length !== 1) {
  console.error("usage: browser.mjs <base url> [--screenshot file.png] [--dark]");
  process.exit(2);
}
const base = new URL(positionals[0]);

let browser;
try {
  browser = await startChromium();
} catch (error) {
  console.log(`SKIPPED: no browser runs here (${error.message})`);
  process.exit(SKIPPED);
}

const page = await browser.newPage({
  viewport: { width: 1440, height: 900 },
  colorScheme: options.dark ? "dark" : "light",
});
page.setDefaultTimeout(HANG_MS);
const sockets = await tapSockets(page);
const complaints = watch(page);
const visit = await weigh(page);
let failed = false;
try {
  await usePage();
  await step("the browser complained of nothing", () => assert.deepEqual(complaints, []));
} catch (error) {
  failed = true;
  console.log(`FAILED: ${error.message}`);
  for (const complaint of complaints) console.log(`  the browser said: ${complaint}`);
} finally {
  if (options.screenshot) await page.screenshot({ path: options.screenshot });
  await browser.close();
}
process.exit(failed ? 1 : 0);

async function usePage() {
  const viewer = page.getByTestId("viewer");
  const notice = page.locator(".moneta-notice");
  const subscription = await firstSubscription();

  await step("open /ide", async () => {
    await page.goto(new URL("/ide", base).href);
    await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  });
  await step("the first tab's query is answered", async () => {
    await execute();
    await answered(HANG_MS);
  });
  await step("the documentation shows the schema", showSchema);
  await step("a visit asks for the schema once, and weighs little", async () => {
    await visit.settled();
    assert.equal(visit.introspections(), 1);
    const bytes = await visit.bytes();
    console.log(`  ${bytes.toLocaleString("en")} bytes on the wire`);
    assert.ok(bytes < VISIT_BYTES, `${bytes} bytes`);
  });
  await step("log in with a demo button", async () => {
    await page.locator(".moneta-bar > button").first().click();
    await viewer.waitFor();
  });
  const email = await viewer.textContent();
  await step(`a first event arrives at ${subscription}, as ${email}`, async () => {
    await page.getByRole("tab", { name: subscription }).click();
    await execute();
    await answered(HANG_MS);
  });
  await step("a lost connection is taken up after the newest event, without a word", async () => {
    const { after: first, ...others } = (await sockets.sent("subscribe")).variables ?? {};
    assert.equal(first, undefined);
    await sockets.drop();
    const { after, ...same } = (await sockets.sent("subscribe")).variables;
    assert.ok(sockets.cursors.includes(after), `${after} is none of ${sockets.cursors}`);
    assert.deepEqual(same, others);
    assert.equal(await notice.count(), 0);
    await execute();
  });
  await step("a connection that is lost before the first event is a notice", async () => {
    sockets.mute();
    await execute();
    await sockets.sent("subscribe");
    await sockets.drop();
    await sockets.sent("subscribe");
    await notice.getByText("Events may be missing").waitFor();
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
    await execute();
  });
  await step("a reload keeps the log-in and the tab", async () => {
    await page.reload();
    await viewer.waitFor();
    assert.equal(await viewer.textContent(), email);
    await page.locator(`[role=tab][aria-selected=true]`, { hasText: subscription }).waitFor();
  });
  await step("log out, for good", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await viewer.waitFor({ state: "detached" });
    await page.reload();
    await page.locator(".moneta-bar > button").first().waitFor();
    assert.equal(await viewer.count(), 0);
  });
}

async function showSchema() {
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.locator(".graphiql-doc-explorer-content").getByText("Query", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
}

async function step(name, action) {
  const start = performance.now();
  try {
    await action();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
  console.log(`ok ${name} (${Math.round(performance.now() - start)} ms)`);
}

/** Starts the operation of the open tab, or stops it when it runs. */
async function execute() {
  await page.locator(".graphiql-execute-button").click();
}

async function answered(timeout) {
  const response = page.locator(".graphiql-response .view-lines");
  await response.getByText(/"(data|errors)"/).first().waitFor({ timeout });
  const text = await response.innerText();
  assert.ok(!text.includes('"errors"'), text);
}

/** The operation name of the first example that is a subscription: its tab bears it. */
async function firstSubscription() {
  for (const name of (await readdir(examples)).sort().filter((each) => each.endsWith(".graphql"))) {
    const { definitions } = parse(await readFile(join(examples, name), "utf8"));
    const found = definitions.find((each) => each.operation === "subscription");
    if (found) return found.name.value;
  }
  throw new Error("no example is a subscription");
}

/** Whatever a person would find in the console, and every request that leaves our own origin. */
function watch(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`uncaught ${error.message}`));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => {
    const url = new URL(request.url());
    const ours = url.host === base.host || ["data:", "blob:"].includes(url.protocol);
    if (!ours) complaints.push(`request to ${url.href}`);
  });
  return complaints;
}

/** What a page asks for, its workers included, and what of that comes over the wire. */
async function weigh(page) {
  const seen = [];
  page.context().on("request", (request) => seen.push(request));
  return {
    introspections: () => seen.filter((request) => request.postData()?.includes("__schema")).length,
    settled: () => page.waitForLoadState("networkidle"),
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
