// /ide as a person uses it: what there is to press, and to read.
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readExamples } from "../examples.mjs";

const web = dirname(dirname(fileURLToPath(import.meta.url)));

export const examples = await readExamples(join(web, "examples"));

function titleOf(name) {
  const found = examples.find((example) => example.name === name);
  assert.ok(found, `no example is called ${name}`);
  return found.title;
}

export class Ide {
  constructor(page) {
    this.page = page;
    this.viewer = page.getByTestId("viewer");
    this.guide = page.locator(".moneta-guide");
    this.response = page.locator(".graphiql-response .result-window .view-lines");
    this.variables = page.locator(".graphiql-editor-tool .graphiql-editor").first();
    this.summary = page.getByTestId("events-summary");
    this.restore = page.getByRole("button", { name: "Restore this example" });
  }

  async open(visit) {
    await this.page.goto(visit.url("/ide"));
    await this.page.locator(".graphiql-query-editor .view-line").first().waitFor();
  }

  /** With a demo button. */
  async logIn(email) {
    await this.page.locator(`[data-demo-login="${email}"]`).click();
    await this.viewer.waitFor();
    assert.equal(await this.viewer.textContent(), email);
  }

  /** From the menu; its variables are filled in as far as they can be. */
  async openExample(name) {
    const title = titleOf(name);
    await this.page.locator(".moneta-examples summary").click();
    const item = this.page.getByRole("navigation", { name: "Examples" }).getByRole("button");
    await item.filter({ hasText: new RegExp(`^${title.replace(/[.?]/g, "\\$&")}( log in)?$`) }).click();
    await this.isOpen(name);
  }

  /** By the link in the instructions of the open example. */
  async followTo(name) {
    await this.guide.getByRole("button", { name, exact: true }).click();
    await this.isOpen(name);
  }

  async isOpen(name) {
    const title = titleOf(name);
    await this.guide.getByRole("heading", { name: title, exact: true }).waitFor();
    await this.page.locator(".graphiql-tab-active", { hasText: name }).waitFor();
    await this.page.locator(".graphiql-query-editor .view-lines").getByText(name).first().waitFor();
    await this.filled();
  }

  /** The example's variables have their values. */
  async filled() {
    await this.page.locator('.moneta-guide[aria-busy="false"]').waitFor();
  }

  /** Starts the operation of the open tab, or stops it when it runs. */
  async run() {
    await this.page.locator(".graphiql-execute-button").click();
  }

  /** The text of the answer; fails when it has errors. */
  async answer(pattern = /"(data|errors)"/) {
    await this.response.getByText(pattern).first().waitFor();
    const text = await this.response.innerText();
    assert.ok(!text.includes('"errors"'), text);
    return text;
  }

  /** The newest stream of this name. */
  stream(name) {
    const item = this.page.getByTestId(`stream-${name}`).first();
    return {
      item,
      state: item.locator(".moneta-state"),
      events: item.locator(".moneta-log > li"),
      press: (label) => item.getByRole("button", { name: `${label} ${name}`, exact: true }).click(),
      /** Waits until that many events have arrived. */
      received: (count) => item.locator(".moneta-state", { hasText: new RegExp(`, ${count} events?$`) }).waitFor(),
      is: (state) => item.locator(`.moneta-state`, { hasText: new RegExp(`^${state},`) }).waitFor(),
      first: () => item.locator(".moneta-state:not(:text(', 0 events'))").waitFor(),
    };
  }
}
