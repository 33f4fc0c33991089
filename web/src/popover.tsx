import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  label: string;
  className?: string;
  /** `close` closes the popover and puts the focus back on its button. */
  children: (close: () => void) => ReactNode;
}

/** A button that opens what is below it. Escape closes it, and so does a click elsewhere. */
export function Popover({ label, className = "", children }: Props): ReactNode {
  const details = useRef<HTMLDetailsElement>(null);

  function close(): void {
    if (!details.current?.open) return;
    details.current.open = false;
    details.current.querySelector("summary")?.focus();
  }

  useEffect(() => {
    function onPointerDown({ target }: Event): void {
      const isOutside = target instanceof Node && !details.current?.contains(target);
      if (isOutside && details.current) details.current.open = false;
    }
    function onKeyDown(event: KeyboardEvent): void {
      if (event.key === "Escape") close();
    }
    document.addEventListener("pointerdown", onPointerDown);
    document.addEventListener("keydown", onKeyDown);
    return () => {
      document.removeEventListener("pointerdown", onPointerDown);
      document.removeEventListener("keydown", onKeyDown);
    };
  }, []);

  return (
    <details className={`moneta-popover ${className}`} ref={details}>
      <summary className="moneta-button">{label}</summary>
      <div className="moneta-popover-content">{children(close)}</div>
    </details>
  );
}
