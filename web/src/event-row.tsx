import { memo, type ReactNode, useState } from "react";
import { CopyButton } from "./copy-button";
import type { StreamEvent } from "./streams";

/** One event: a line that opens to its JSON. */
export const EventRow = memo(function EventRow({ event, name }: { event: StreamEvent; name: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { number, at, result } = event;
  return (
    <li>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <time dateTime={at.toISOString()}>{clock(at)}</time>
          <span className="moneta-number">#{number}</span>
          <code className={result.errors ? "moneta-problem" : undefined}>{inOneLine(event)}</code>
        </summary>
        {isOpen && (
          <div className="moneta-event">
            <CopyButton text={JSON.stringify(result, null, 2)} label={`Copy event ${number} of ${name}`} />
            <pre>{JSON.stringify(result, null, 2)}</pre>
          </div>
        )}
      </details>
    </li>
  );
});

/** Local time, 14:03:27.051. */
function clock(at: Date): string {
  const digits = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  return at.toLocaleTimeString("en-GB", { ...digits, fractionalSecondDigits: 3 });
}

const HASH = /\b([0-9a-f]{8})[0-9a-f]{56}\b/g;

/** What is in the event, without the cursor that each has, and with hashes cut short. */
function inOneLine({ result: { data, errors } }: StreamEvent): string {
  if (errors) return errors.map(({ message }) => message).join("; ");
  const [field] = Object.values(data ?? {});
  if (typeof field !== "object" || field === null) return JSON.stringify(field);
  const { cursor: _, ...rest } = field as Record<string, unknown>;
  const values = Object.values(rest);
  return plain(values.length === 1 ? values[0] : rest);
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value).replace(HASH, "$1…");
  return `{${Object.entries(value).map(([name, inner]) => `${name}: ${plain(inner)}`).join(", ")}}`;
}
