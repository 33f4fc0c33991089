import type { ReactNode } from "react";
import { GROUPS, useOpenExample } from "./examples";
import { Popover } from "./popover";

/** All examples in their groups; choosing one opens its tab. */
export function ExampleMenu(): ReactNode {
  const { example: opened, open } = useOpenExample();
  return (
    <Popover label="Examples" className="moneta-examples">
      {(close) => (
        <nav aria-label="Examples">
          {GROUPS.map(([group, examples]) => (
            <section key={group} aria-labelledby={`moneta-group-${group}`}>
              <h2 id={`moneta-group-${group}`}>{group}</h2>
              <ul>
                {examples.map((example) => (
                  <li key={example.name}>
                    <button
                      type="button"
                      aria-current={example === opened || undefined}
                      onClick={() => {
                        open(example);
                        close();
                      }}
                    >
                      {example.title}
                      {example.needsLogin && <small> log in</small>}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </nav>
      )}
    </Popover>
  );
}
