// What the checks in a browser have in common: the browser, pages that complain, steps that are printed, an exit code.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { startChromium } from "./chromium.mjs";

const SKIPPED = 77;
/** What takes longer counts as hanging. A busy machine is slow, and a block is mined only every ten seconds. */
const HANG_MS = Number(process.env.MONETA_TESTS_HANG_S ?? 300) * 1000;

/**
 * Runs `action` with a browser and the base URL that the script was given, then exits: 0 when it has returned; 1 when it
 * has thrown, or when a page has complained; 77 when no browser runs on this machine.
 */
export async function inBrowser(action) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { screenshots: { type: "string" } } });
  if (positionals.length !== 1) {
    console.error(`usage: ${process.argv[1]} <base url> [--screenshots folder]`);
    process.exit(2);
  }
  let browser;
  try {
    browser = await startChromium();
  } catch (error) {
    console.log(`SKIPPED: no browser runs here (${error.message})`);
    process.exit(SKIPPED);
  }
  const visit = new Visit(browser, new URL(positionals[0]), values.screenshots);
  try {
    await action(visit);
    await step("the browser complained of nothing", () => assert.deepEqual(visit.complaints, []));
  } catch (error) {
    process.exitCode = 1;
    console.log(`FAILED: ${error.message}`);
    for (const complaint of visit.complaints) console.log(`  the browser said: ${complaint}`);
    await visit.screenshot("failed");
  } finally {
    await browser.close();
  }
  process.exit();
}

export async function step(name, action) {
  const start = performance.now();
  try {
    await action();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
  console.log(`ok ${name} (${Math.round(performance.now() - start)} ms)`);
}

class Visit {
  constructor(browser, base, screenshots) {
    this.browser = browser;
    this.base = base;
    this.screenshots = screenshots;
    /** Whatever a person would find in the console, refusals by the content security policy included, and every request to another origin. */
    this.complaints = [];
  }

  url(path) {
    return new URL(path, this.base).href;
  }

  /** A page with a storage of its own. */
  async newPage({ width = 1440, height = 900, dark = false, ...options } = {}) {
    const colorScheme = dark ? "dark" : "light";
    const page = await this.browser.newPage({ viewport: { width, height }, colorScheme, ...options });
    page.setDefaultTimeout(HANG_MS);
    this.page = page;
    this.watch(page);
    page.on("popup", (popup) => this.watch(popup));
    return page;
  }

  watch(page) {
    page.on("pageerror", (error) => this.complaints.push(`uncaught ${error.message}`));
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("request", (request) => {
      const url = new URL(request.url());
      const ours = url.host === this.base.host || ["data:", "blob:"].includes(url.protocol);
      if (!ours) this.complaints.push(`request to ${url.href}`);
    });
  }

  /** Of the newest page, where screenshots are wanted. */
  async screenshot(name) {
    if (this.screenshots && this.page) await this.page.screenshot({ path: `${this.screenshots}/${name}.png` });
  }
}
