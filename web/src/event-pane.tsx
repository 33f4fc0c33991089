import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { EventRow } from "./event-row";
import { CopyButton } from "./copy-button";
import type { Stream, Streams, StreamState } from "./streams";

const STATES: Record<StreamState, string> = {
  waiting: "waiting for the first event",
  live: "running",
  stopped: "stopped",
  ended: "ended by the server",
  failed: "failed",
};

type Order = "newest" | "oldest";

/** The subscriptions of this page and their newest events, whichever tab is open. */
export function EventPane({ streams }: { streams: Streams }): ReactNode {
  const all = useSyncExternalStore(streams.subscribe, streams.current);
  const [isOpen, setOpen] = useState(false);
  const [isLarge, setLarge] = useState(false);
  const [order, setOrder] = useState<Order>("newest");
  const [expanded, setExpanded] = useState<number | null>(null);
  const newest = all[0]?.id ?? 0;
  const known = useRef(0);

  // A stream that was just started is what the user wants to see.
  useEffect(() => {
    if (newest <= known.current) return;
    known.current = newest;
    setOpen(true);
    setExpanded(newest);
  }, [newest]);

  const running = all.filter(isRunning).length;
  return (
    <section
      className={`moneta-events${isOpen ? " moneta-open" : ""}${isOpen && isLarge ? " moneta-large" : ""}`}
      aria-labelledby="moneta-events-title"
    >
      <div className="moneta-events-bar">
        <h2 id="moneta-events-title">
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            Events
          </button>
        </h2>
        <span className="moneta-hint" data-testid="events-summary">
          {all.length === 0 ? "of subscriptions: none yet" : `${running} running, ${all.length - running} ended`}
        </span>
        {isOpen && (
          <>
            <label className="moneta-order">
              <span className="moneta-hidden">Order of events</span>
              <select value={order} onChange={({ target }) => setOrder(target.value as Order)}>
                <option value="newest">Newest first</option>
                <option value="oldest">Oldest first</option>
              </select>
            </label>
            <button type="button" className="moneta-button" aria-pressed={isLarge} onClick={() => setLarge(!isLarge)}>
              Enlarge
            </button>
          </>
        )}
      </div>
      {isOpen && all.length === 0 && (
        <p className="moneta-empty">
          Start a subscription: its events are listed here, and it continues when you change to another tab.
        </p>
      )}
      {isOpen && all.length > 0 && (
        <ul className="moneta-streams">
          {all.map((stream) => (
            <StreamItem
              key={stream.id}
              stream={stream}
              streams={streams}
              order={order}
              isExpanded={stream.id === expanded}
              onToggle={() => setExpanded(stream.id === expanded ? null : stream.id)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface StreamItemProps {
  stream: Stream;
  streams: Streams;
  order: Order;
  isExpanded: boolean;
  onToggle: () => void;
}

function StreamItem({ stream, streams, order, isExpanded, onToggle }: StreamItemProps): ReactNode {
  const { id, name, state, reason, cursor, received, events, dropped, held } = stream;
  const shown = order === "newest" ? [...events].reverse() : events;
  const button = (label: string, action: () => void): ReactNode => (
    <button type="button" className="moneta-button" aria-label={`${label} ${name}`} onClick={action}>
      {label}
    </button>
  );
  return (
    <li className="moneta-stream" data-state={state} data-testid={`stream-${name}`}>
      <div className="moneta-stream-bar">
        <h3>
          <button type="button" aria-expanded={isExpanded} onClick={onToggle}>
            {name}
          </button>
        </h3>
        <span className="moneta-state">
          {held !== null && isRunning(stream) ? "paused" : STATES[state]}, {counted(received, "event")}
        </span>
        <div className="moneta-stream-actions" role="group" aria-label={`Actions of ${name}`}>
          {isRunning(stream) && held === null && button("Pause", () => streams.pause(id))}
          {held !== null && button("Resume", () => streams.resume(id))}
          {events.length > 0 && button("Clear", () => streams.clear(id))}
          {isRunning(stream) ? button("Stop", () => streams.stop(id)) : button("Remove", () => streams.remove(id))}
        </div>
      </div>
      {reason && <p className="moneta-problem">{reason}</p>}
      {isExpanded && (
        <>
          {cursor && (
            <p className="moneta-cursor">
              cursor <code>{cursor}</code> <CopyButton text={cursor} label={`Copy the cursor of ${name}`} />
            </p>
          )}
          {held !== null && held.length > 0 && <p className="moneta-hint">{counted(held.length, "event")} held back.</p>}
          <ol className="moneta-log" aria-label={`Events of ${name}`}>
            {shown.map((event) => (
              <EventRow key={event.number} event={event} name={name} />
            ))}
          </ol>
          {dropped > 0 && <p className="moneta-hint">{counted(dropped, "older event")} not kept.</p>}
        </>
      )}
    </li>
  );
}

function isRunning({ state }: Stream): boolean {
  return state === "waiting" || state === "live";
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
