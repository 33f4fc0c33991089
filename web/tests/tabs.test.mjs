import assert from "node:assert/strict";
import { test } from "node:test";
import { importSource } from "./sources.mjs";

const { OpenTab } = await importSource("tabs.ts");
const tabs = [{ id: "a" }, { id: "b" }];

test("a tab is left once, when another one is opened, and not when its contents change", () => {
  const tab = new OpenTab();
  let left = 0;
  tab.onTabChange({ activeTabIndex: 0, tabs });
  tab.onLeave(() => (left += 1));
  tab.onTabChange({ activeTabIndex: 0, tabs: [{ id: "a", query: "new" }, tabs[1]] });
  tab.onTabChange({ activeTabIndex: 1, tabs: [tabs[1], tabs[0]] });
  assert.equal(left, 0, "moved, but still open");
  tab.onTabChange({ activeTabIndex: 1, tabs });
  tab.onTabChange({ activeTabIndex: 0, tabs });
  assert.equal(left, 1);
});

test("who no longer watches is not told", () => {
  const tab = new OpenTab();
  tab.onTabChange({ activeTabIndex: 0, tabs });
  tab.onLeave(() => assert.fail("told"))();
  tab.onTabChange({ activeTabIndex: 1, tabs });
});
