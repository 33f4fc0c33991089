import { type MonacoEditor, useGraphiQL, useMonaco } from "@graphiql/react";
import { useEffect } from "react";

/** Elsewhere Escape first closes what is open in the editor. */
const NOTHING_TO_CLOSE =
  "editorTextFocus && !suggestWidgetVisible && !findWidgetVisible && !parameterHintsVisible && !editorHasMultipleSelections";

/** In all editors: long lines are wrapped, and Escape leaves the editor, whose Tab key does not move the focus. */
export function EditorComfort(): null {
  const { monaco } = useMonaco();
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
    responseEditor: state.responseEditor,
  }));

  useEffect(() => {
    if (!monaco) return;
    const found: [string, MonacoEditor | undefined][] = [
      ["Operation", queryEditor],
      ["Variables", variableEditor],
      ["Headers", headerEditor],
      ["Response", responseEditor],
    ];
    const actions = found.flatMap(([name, editor]) => (editor ? [comfort(editor, name, monaco.KeyCode.Escape)] : []));
    return () => {
      for (const action of actions) action.dispose();
    };
  }, [monaco, queryEditor, variableEditor, headerEditor, responseEditor]);
  return null;
}

function comfort(editor: MonacoEditor, name: string, escape: number): { dispose: () => void } {
  editor.updateOptions({ wordWrap: "on", wrappingIndent: "indent", ariaLabel: name });
  const container = editor.getContainerDomNode();
  container.setAttribute("role", "group");
  container.setAttribute("aria-label", `${name}: Enter to go inside, Escape to leave`);
  return editor.addAction({
    id: "moneta-leave",
    label: "Leave the editor",
    keybindings: [escape],
    precondition: NOTHING_TO_CLOSE,
    run: () => container.focus(),
  });
}
