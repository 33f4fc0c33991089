// Usage: node conformance/follow.mjs <base url> [--screenshots folder]
// Does in one window what the examples of /ide say, and runs each of them as it is; see visit.mjs.
import assert from "node:assert/strict";
import { examples, Ide } from "./ide.mjs";
import { inBrowser, step } from "./visit.mjs";

/** They wait for what the later steps do, or for bots of the demo, which trade every few minutes. */
const STARTED_FIRST = [
  "MempoolUpdates",
  "AlertUpdates",
  "WatchlistUpdates",
  "OrderUpdates",
  "Fills",
  "Trades",
  "BotUpdates",
  "Signals",
  "ParticipationUpdates",
  "Leaderboard",
];
/** The demo may bring no article for long. */
const MAY_WAIT = ["NewsLive"];

await inBrowser(async (visit) => {
  const page = await visit.newPage({ width: 1280, height: 800 });
  const ide = new Ide(page);
  await ide.open(visit);
  await ide.logIn("alice@example.com");
  for (const name of STARTED_FIRST) await start(ide, name);
  await step("TransactionUpdates, then Transfer: a payment is seen to be pending and confirmed", async () => {
    const stream = ide.stream("TransactionUpdates");
    await start(ide, "TransactionUpdates");
    await stream.is("waiting for the first event");
    await ide.followTo("Transfer");
    await ide.run();
    assert.match(await ide.answer(), /TransferPayload/);
    await stream.received(2);
    const [confirmed, pending] = await stream.events.allInnerTexts();
    assert.match(pending, /#1\b.*PENDING/s);
    assert.match(confirmed, /#2\b.*CONFIRMED/s);
    await visit.screenshot("events");
  });
  await step("restored, Transfer makes another payment", async () => {
    await ide.restore.click();
    await ide.filled();
    await ide.run();
    await ide.stream("TransactionUpdates").received(3);
  });
  await step("OpenStreams shows what was started in another tab", async () => {
    await ide.openExample("OpenStreams");
    await ide.run();
    await ide.answer(/TransactionUpdates/);
  });
  await step("WatchlistTicks, then AddToWatchlist: the token is part of the ticks", async () => {
    await start(ide, "WatchlistTicks");
    await ide.followTo("AddToWatchlist");
    await ide.run();
    await ide.answer(/AddToWatchlistPayload/);
    await ide.stream("WatchlistTicks").events.getByText("symbol: DOT").first().waitFor();
  });
  await step("Notifications, then CreateAlert: the notification arrives", async () => {
    await start(ide, "Notifications");
    await ide.followTo("CreateAlert");
    await ide.run();
    assert.match(await ide.answer(), /CreateAlertPayload/);
    await ide.stream("Notifications").events.getByText("BTC").first().waitFor();
  });
  // By now its block may have been mined.
  await step("the other payment is confirmed as well", () => ide.stream("TransactionUpdates").received(4));
  await step("in the tab of a running subscription, play shows it instead of starting another", async () => {
    await ide.openExample("TransactionUpdates");
    await ide.run();
    assert.match(await ide.answer(/"transactionUpdates"/), /CONFIRMED/);
    assert.equal(await page.getByTestId("stream-TransactionUpdates").count(), 1);
  });
  for (const { name, operation } of examples) await step(`${name} runs as it is`, () => runAsItIs(ide, name, operation));
  // All wait for the same blocks and prices, at the same time.
  await step("each subscription runs and has received an event", () => Promise.all(examples.map((each) => goesOn(ide, each))));
  await step("after the log-out, what needs a user ends with the reason, and the rest goes on", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await ide.stream("TransactionUpdates").is("failed");
    await ide.stream("TransactionUpdates").item.locator(".moneta-problem").waitFor();
    const ticks = ide.stream("PriceTicks");
    const before = await ticks.state.textContent();
    await ticks.item.locator(".moneta-state", { hasNotText: before }).waitFor();
    await ticks.is("running");
  });
  await step("a stream is paused, resumed, cleared, stopped and removed", () => handle(ide));
});

async function start(ide, name) {
  await ide.openExample(name);
  await ide.run();
}

async function runAsItIs(ide, name, operation) {
  await start(ide, name);
  await isVisible(ide.guide);
  await isVisible(ide.page.locator(".graphiql-execute-button"));
  if (operation === "subscription") await ide.stream(name).is("(running|waiting for the first event)");
  else await ide.answer(operation === "mutation" ? /Payload"/ : undefined);
}

async function goesOn(ide, { name, operation }) {
  if (operation !== "subscription") return;
  if (!MAY_WAIT.includes(name)) await ide.stream(name).first();
  await ide.stream(name).is(MAY_WAIT.includes(name) ? "(running|waiting for the first event)" : "running");
}

/** Wholly inside the window, and nothing of its text is cut off. */
async function isVisible(locator) {
  const { top, left, right, bottom, cut } = await locator.evaluate((element) => ({
    ...element.getBoundingClientRect().toJSON(),
    cut: element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight,
  }));
  const { width, height } = locator.page().viewportSize();
  assert.ok(top >= 0 && left >= 0 && right <= width && bottom <= height && !cut, "it cannot be seen as a whole");
}

async function handle(ide) {
  const stream = ide.stream("PriceTicks");
  await stream.item.getByRole("button", { name: "PriceTicks", exact: true }).click();
  await stream.press("Pause");
  const before = await stream.events.first().innerText();
  await stream.item.getByText(/\d events? held back/).waitFor();
  assert.equal(await stream.events.first().innerText(), before);
  await stream.press("Resume");
  await stream.item.getByText("held back").waitFor({ state: "detached" });
  assert.notEqual(await stream.events.first().innerText(), before);
  await stream.events.first().locator("summary").click();
  await stream.events.first().locator("pre").getByText('"priceTicks"').waitFor();
  await stream.press("Stop");
  await stream.is("stopped");
  await stream.press("Clear");
  assert.equal(await stream.events.count(), 0);
  await stream.item.getByText(/older events? not kept/).waitFor();
  await stream.press("Remove");
  await stream.item.waitFor({ state: "detached" });
}
