import { type ReactNode, useState } from "react";

/** Copies a text, and says whether that worked: browsers allow it in secure contexts only. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  const [outcome, setOutcome] = useState<string | null>(null);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("Copied");
    } catch {
      setOutcome("Not allowed");
    }
  }

  return (
    <button type="button" className="moneta-button" aria-label={outcome ? undefined : label} onClick={() => void copy()}>
      {outcome ?? "Copy"}
    </button>
  );
}
