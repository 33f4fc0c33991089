/** The examples, and the tabs of GraphiQL in which they are open. */

import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";
import examples from "moneta:examples";
import { fill, hasPlaceholders, isFilled } from "./fills";
import type { Viewer } from "./session";

export type Example = (typeof examples)[number];

/** By the name of their operation, which is the title of their tab. */
export const EXAMPLES: ReadonlyMap<string, Example> = new Map(examples.map((example) => [example.name, example]));

/** Groups in the order of their first example. */
export const GROUPS: readonly (readonly [string, Example[]])[] = [
  ...new Set(examples.map((example) => example.group)),
].map((group) => [group, examples.filter((example) => example.group === group)]);

/** The tabs of a first visit. */
export const FIRST_TABS = (GROUPS[0]?.[1] ?? []).map(({ query, variables, headers }) => ({ query, variables, headers }));

export interface OpenExample {
  /** Undefined in a tab that holds no example. */
  example: Example | undefined;
  /** Whether it was edited, or would get other values: a new key makes another payment of the same example. */
  canRestore: boolean;
  /** Opens the example's tab: the one that it has, or a new one. */
  open: (example: Example) => void;
  /** Undoes all edits of the open example. */
  restore: () => void;
}

export function useOpenExample(): OpenExample {
  const { addTab, changeTab, updateActiveTabValues } = useGraphiQLActions();
  const { tabs, activeTabIndex, queryEditor, variableEditor, headerEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  const tab = tabs[activeTabIndex];
  const example = EXAMPLES.get(tab?.title ?? "");

  function write({ query, variables, headers, name }: Example): void {
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables ?? "");
    // At once, and not when the editors report their change: another tab may be open by then.
    updateActiveTabValues({ query, variables, operationName: name });
    // Headers that the user typed, as a token, stay where the example has none.
    if (headers === null) return;
    headerEditor?.setValue(headers);
    updateActiveTabValues({ headers });
  }

  return {
    example,
    canRestore:
      example !== undefined &&
      (hasPlaceholders(example.variables ?? "") ||
        (example.headers !== null && tab?.headers?.trim() !== example.headers.trim()) ||
        tab?.query?.trim() !== example.query.trim() || !isFilled(example.variables ?? "", tab.variables ?? "")),
    open(chosen) {
      const index = tabs.findIndex(({ title }) => title === chosen.name);
      if (index === activeTabIndex) return;
      if (index >= 0) return changeTab(index);
      addTab();
      write(chosen);
    },
    restore: () => example && write(example),
  };
}

/** Fills in the variables of the open example, as soon as what they need is known; returns whether that is under way. */
export function useFilledVariables(viewer: Viewer): boolean {
  const { updateActiveTabValues } = useGraphiQLActions();
  const { variables, headers, variableEditor } = useGraphiQL((state) => ({
    variables: state.tabs[state.activeTabIndex]?.variables ?? "",
    headers: state.tabs[state.activeTabIndex]?.headers ?? "",
    variableEditor: state.variableEditor,
  }));
  /** For whom which variables could not be filled in. */
  const [unknown, setUnknown] = useState<string | null>(null);
  const attempt = `${viewer} ${headers} ${variables}`;
  const isPending = viewer !== undefined && hasPlaceholders(variables) && attempt !== unknown;

  useEffect(() => {
    if (!isPending || !variableEditor) return;
    let isOver = false;
    async function replace(): Promise<void> {
      const filled = await fill(variables, headers).catch(() => variables);
      if (isOver) return;
      if (hasPlaceholders(filled)) setUnknown(`${viewer} ${headers} ${filled}`);
      if (filled === variables || variableEditor?.getValue() !== variables) return;
      variableEditor.setValue(filled);
      updateActiveTabValues({ variables: filled });
    }
    void replace();
    return () => {
      isOver = true;
    };
  }, [isPending, variables, headers, variableEditor, viewer, updateActiveTabValues]);
  return isPending;
}
