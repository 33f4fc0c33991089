// Usage: node conformance/access.mjs <base url> [--screenshots folder]
// Whether everybody can use the pages: axe finds nothing, in light at 1280 pixels and in dark at 390, where nothing is
// wider than the screen; all of /ide can be reached by keyboard, and the focus is seen; / works without scripts.
// Colours do not go by the width: MONETA_TESTS_WHOLE=1 looks at dark at 1280 and at light at 390 as well.
// See visit.mjs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Ide } from "./ide.mjs";
import { inBrowser, step } from "./visit.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const WHOLE = process.env.MONETA_TESTS_WHOLE === "1";
const SCREENS = [1280, 390]
  .flatMap((width) => [false, true].map((dark) => ({ width, height: width > 800 ? 800 : 844, dark })))
  .filter(({ width, dark }) => WHOLE || dark === width < 800);
const PAGES = ["/", "/docs", "/docs/scalars", "/verify?token=t", "/reset-password?token=t", "/dev/mail"];
/** More presses than there are places to go: then the focus does not come back. */
const MANY = 200;

await inBrowser(async (visit) => {
  for (const screen of SCREENS) {
    const name = `${screen.width}-${screen.dark ? "dark" : "light"}`;
    await step(`${PAGES.join(", ")} at ${name}`, () => lookAtPages(visit, screen, name));
    await step(`/ide at ${name}`, () => lookAtIde(visit, screen, name));
  }
  await step("/ is whole without scripts", () => withoutScripts(visit));
  await step("a call of / is copied", () => copyCall(visit));
  for (const width of [1280, 390]) await step(`the keyboard reaches everything at ${width}`, () => byKeyboard(visit, width));
  await step("by keyboard alone: an example, its answer, a log-in", () => keyboardOnly(visit));
});

/** Fails for what axe finds, and for a page that is wider than its window. */
async function judge(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  assert.deepEqual(found, [], what);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${what} is ${wide} pixels too wide`);
}

async function lookAtPages(visit, screen, name) {
  const page = await visit.newPage(screen);
  for (const path of PAGES) {
    await page.goto(visit.url(path));
    await visit.screenshot(`${new URL(path, visit.base).pathname.slice(1).replaceAll("/", "-") || "home"}-${name}`);
    await judge(page, path);
  }
  await page.close();
}

async function lookAtIde(visit, screen, name) {
  const page = await visit.newPage(screen);
  const ide = new Ide(page);
  await ide.open(visit);
  await visit.screenshot(`ide-${name}`);
  await judge(page, "the first visit");

  await page.locator(".moneta-examples summary").click();
  await visit.screenshot(`menu-${name}`);
  await judge(page, "the menu");
  await page.keyboard.press("Escape");

  for (const button of ["Register", "Log in"]) {
    await page.getByRole("button", { name: button, exact: true }).click();
    await judge(page, `the form ${button}`);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }

  await ide.logIn("alice@example.com");
  await ide.openExample("PriceTicks");
  await ide.run();
  const stream = ide.stream("PriceTicks");
  await stream.first();
  await stream.events.first().locator("summary").click();
  await stream.press("Pause");
  await ide.openExample("Transfer");
  await visit.screenshot(`events-${name}`);
  await judge(page, "an example and the events");

  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.locator(".graphiql-doc-explorer-content").getByText("Query", { exact: true }).waitFor();
  await judge(page, "the documentation");
  await page.close();
}

async function withoutScripts(visit) {
  const page = await visit.newPage({ javaScriptEnabled: false });
  await page.goto(visit.url("/"));
  await page.getByText("Ready", { exact: true }).waitFor();
  assert.equal(await page.locator("pre").count(), 3);
  assert.equal(await page.getByRole("button").count(), 0);
  await page.close();
}

async function copyCall(visit) {
  const page = await visit.newPage({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(visit.url("/"));
  await page.getByRole("button", { name: "Copy: A query", exact: true }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await page.locator("pre").first().innerText());
  await page.close();
}

/** Presses Tab until the focus has gone round; each place must be in the window and show that it has the focus. */
async function byKeyboard(visit, width) {
  const page = await visit.newPage({ width, height: 844 });
  const ide = new Ide(page);
  await ide.open(visit);
  await ide.openExample("PriceTicks");
  await ide.run();
  await ide.stream("PriceTicks").first();
  await ide.stream("PriceTicks").press("Stop");
  await page.evaluate(startAtTop);
  const seen = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate(placeOfFocus);
    if (place === null || seen.some(({ id }) => id === place.id)) break;
    seen.push(place);
    assert.ok(seen.length < MANY, "the focus does not come back");
  }
  assert.deepEqual(seen.filter(({ isSeen }) => !isSeen), [], "the focus cannot be seen");
  assert.deepEqual(seen.filter(({ label }) => !label), [], "without a name");
  const labels = seen.map(({ label }) => label);
  for (const expected of ["Moneta", "Examples", "Alice", "Register", "Log in", "Events", "Remove PriceTicks"]) {
    assert.ok(labels.some((label) => label.includes(expected)), `${expected} is none of ${labels.join(" | ")}`);
  }
  for (const editor of ["Operation", "Variables", "Response"]) {
    assert.ok(labels.some((label) => label.startsWith(`${editor}: Enter`)), `${editor} is none of ${labels.join(" | ")}`);
  }
  const order = ["Moneta", "Examples", "Log in", "Operation: ", "Response: ", "Events"];
  const places = order.map((expected) => labels.findIndex((label) => label.startsWith(expected)));
  assert.deepEqual(places, places.toSorted((a, b) => a - b), `the order is ${labels.join(" | ")}`);
  await page.close();
}

/** Runs in the page. What has lost the focus would still be where Tab goes on from. */
function startAtTop() {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
}

/** Runs in the page. */
function placeOfFocus() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  globalThis.places ??= new Map();
  if (!globalThis.places.has(element)) globalThis.places.set(element, globalThis.places.size);
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const isInside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth && right > left && bottom > top;
  const { outlineStyle, outlineWidth, visibility } = getComputedStyle(element);
  const hasRing = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent.trim();
  return { id: globalThis.places.get(element), label, isSeen: isInside && hasRing && visibility === "visible" };
}

async function keyboardOnly(visit) {
  const page = await visit.newPage({ width: 1280, height: 800 });
  const ide = new Ide(page);
  await ide.open(visit);
  await reach(page, "Examples");
  await page.keyboard.press("Enter");
  await reach(page, "Welcome");
  await page.keyboard.press("Escape");
  await page.getByRole("navigation", { name: "Examples" }).waitFor({ state: "hidden" });
  assert.equal((await page.evaluate(placeOfFocus)).label, "Examples", "Escape gives the focus back");
  await page.keyboard.press("Enter");
  await reach(page, "The newest blocks");
  await page.keyboard.press("Enter");
  await ide.isOpen("LatestBlocks");
  assert.equal((await page.evaluate(placeOfFocus)).label, "Examples", "a closed menu gives the focus back");
  await reach(page, "Operation: Enter to go inside, Escape to leave");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" # typed");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.match((await page.evaluate(placeOfFocus)).label, /^Operation: /, "Escape leaves the editor");
  await reach(page, /^Execute query/);
  await page.keyboard.press("Enter");
  assert.match(await ide.answer(), /blocks/);
  await reach(page, "Log in");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByLabel("E-mail").waitFor();
  assert.equal((await page.evaluate(placeOfFocus)).label.trim(), "E-mail");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await page.evaluate(placeOfFocus))?.label, "Log in", "a closed dialog gives the focus back");
  await page.close();
}

async function reach(page, wanted) {
  const fits = (label) => (wanted instanceof RegExp ? wanted.test(label) : label === wanted);
  for (let presses = 0; presses < MANY; presses += 1) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate(placeOfFocus);
    if (place && fits(place.label)) return;
  }
  throw new Error(`${wanted} is not reached`);
}
