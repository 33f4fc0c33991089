import { Fragment, type ReactNode } from "react";
import { EXAMPLES, type Example, useFilledVariables, useOpenExample } from "./examples";
import type { Viewer } from "./session";

const ORDER = [...EXAMPLES.values()];

/** What the open example shows and what to do, above the editors. */
export function ExampleGuide({ viewer }: { viewer: Viewer }): ReactNode {
  const { example, canRestore, open, restore } = useOpenExample();
  const isFilling = useFilledVariables(viewer);
  if (example === undefined) return null;
  const next = ORDER[ORDER.indexOf(example) + 1];
  return (
    <section
      className="moneta-guide"
      aria-label="About this example"
      aria-busy={isFilling}
      data-has-variables={example.variables === null ? undefined : ""}
    >
      <div className="moneta-guide-text">
        <h2>{example.title}</h2>
        {example.needsLogin && viewer === null && (
          <p className="moneta-needs-login">Log in first, at the top.</p>
        )}
        {example.instructions.map((paragraph) => (
          <p key={paragraph}>{withLinks(paragraph, open)}</p>
        ))}
      </div>
      <div className="moneta-guide-actions">
        {canRestore && (
          <button type="button" className="moneta-button" onClick={restore}>
            Restore this example
          </button>
        )}
        {next && (
          <button type="button" className="moneta-link" onClick={() => open(next)}>
            Next: {next.title}
          </button>
        )}
      </div>
    </section>
  );
}

/** Names between backticks: those of examples open them, others are code. */
function withLinks(text: string, open: (example: Example) => void): ReactNode[] {
  return text.split("`").map((part, index) => {
    const example = index % 2 === 1 ? EXAMPLES.get(part) : undefined;
    if (example) {
      return (
        <button type="button" className="moneta-link" key={index} onClick={() => open(example)}>
          {part}
        </button>
      );
    }
    return index % 2 === 1 ? <code key={index}>{part}</code> : <Fragment key={index}>{part}</Fragment>;
  });
}
