// Usage: node conformance/accounts.mjs <base url> [--screenshots folder]
// Registers at /ide with an access code of the demo, verifies by the mailed code, forgets the password and sets another.
// Each run uses up one access code; see visit.mjs.
import assert from "node:assert/strict";
import { Ide } from "./ide.mjs";
import { inBrowser, step } from "./visit.mjs";

const EMAIL = `newcomer-${process.pid}@example.com`;
const [FIRST_PASSWORD, SECOND_PASSWORD] = ["a long first password", "a long second password"];

await inBrowser(async (visit) => {
  const page = await visit.newPage({ width: 390, height: 844 });
  const ide = new Ide(page);
  const dialog = page.getByRole("dialog");
  const submit = (name) => dialog.locator("button[type=submit]", { hasText: name }).click();
  await ide.open(visit);

  await step("register with the access code that is filled in", async () => {
    await page.getByRole("button", { name: "Register" }).click();
    const code = dialog.getByLabel("Access code");
    await visit.screenshot("register");
    for (const each of await codesOf(dialog)) {
      if ((await code.inputValue()) !== each) await code.fill(each);
      await dialog.getByLabel("Full name").fill("New Comer");
      await dialog.getByLabel("E-mail").fill(EMAIL);
      await dialog.getByLabel("Password").fill(FIRST_PASSWORD);
      await submit("Register");
      // On a server on which this has run before, the first codes are used up.
      if (await Promise.race([isShown(dialog.getByLabel("Code", { exact: true })), isRefused(dialog)])) return;
    }
    throw new Error("no access code was accepted");
  });
  await step("a wrong code is refused, and the form stays", async () => {
    await dialog.getByLabel("Code", { exact: true }).fill("000000");
    await submit("Verify");
    await dialog.getByRole("alert").getByText(/./).waitFor();
  });
  await step("verify with the code from the mailbox, and be logged in", async () => {
    const mail = await mailed(page, dialog, /code/i);
    await dialog.getByLabel("Code", { exact: true }).fill(mail.match(/\b\d{6}\b/)[0]);
    await submit("Verify and log in");
    await ide.viewer.waitFor();
    assert.equal(await ide.viewer.textContent(), EMAIL);
    await dialog.waitFor({ state: "detached" });
  });
  await step("a forgotten password is replaced by a mailed link", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await dialog.getByRole("button", { name: "Forgotten password" }).click();
    await dialog.getByLabel("E-mail").fill(EMAIL);
    await submit("Mail me a link");
    await dialog.getByText("is on its way").waitFor();
    const mail = await mailed(page, dialog, /reset-password/);
    const reset = await visit.newPage({ width: 390, height: 844 });
    await reset.goto(mail.match(/http\S*reset-password\S*/)[0]);
    await reset.getByLabel(/New password/).fill(SECOND_PASSWORD);
    await visit.screenshot("reset-password");
    await reset.getByRole("button", { name: "Set password" }).click();
    await reset.getByText("Your password is set").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await dialog.waitFor({ state: "detached" });
  });
  await step("log in with the new password, the old one is refused", async () => {
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await dialog.getByLabel("E-mail").fill(EMAIL);
    await dialog.getByLabel("Password").fill(FIRST_PASSWORD);
    await submit("Log in");
    await dialog.getByRole("alert").getByText(/./).waitFor();
    await dialog.getByLabel("Password").fill(SECOND_PASSWORD);
    await submit("Log in");
    await ide.viewer.waitFor();
  });
});

/** The codes that the form offers, beginning with the one in the field. */
async function codesOf(dialog) {
  const codes = await dialog.locator("datalist option").evaluateAll((options) => options.map(({ value }) => value));
  assert.equal(await dialog.getByLabel("Access code").inputValue(), codes[0]);
  return codes;
}

function isShown(locator) {
  return locator.waitFor().then(() => true);
}

function isRefused(dialog) {
  const refusal = dialog.getByRole("alert").getByText(/access code/i);
  return refusal.waitFor().then(() => false);
}

/** The text of the newest mail to the newcomer that matches, from the mailbox that the dialog links to. */
async function mailed(page, dialog, pattern) {
  const opening = page.waitForEvent("popup");
  await dialog.getByRole("link", { name: "Open the mailbox" }).click();
  const mailbox = await opening;
  const mail = mailbox.locator("article", { hasText: EMAIL }).filter({ hasText: pattern }).first();
  // The worker delivers it in its own time.
  while ((await mail.count()) === 0) await mailbox.reload();
  const text = await mail.locator("pre").innerText();
  await mailbox.close();
  return text;
}
