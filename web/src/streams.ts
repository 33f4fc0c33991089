/**
 * Subscriptions that outlive the tab in which they were started, and the newest events of each.
 *
 * GraphiQL ends a subscription when its tab is left, and shows only the newest event. Here the subscription belongs to
 * the page: a tab only watches it.
 */

import type { Connection } from "./connections";
import type { Result, Sink } from "./resuming";

/** The events of a stream that are kept, and the streams that are kept after they have ended. */
export const KEPT_EVENTS = 200;
export const KEPT_ENDED = 20;

export interface StreamRequest {
  name: string;
  query: string;
  operationName: string | null;
  variables: Record<string, unknown> | null;
  /** What was typed as headers: a token, a tenant, a mode. */
  connection: Connection;
}

/** `waiting`: no event yet. `stopped` by the user, `ended` by the server, `failed`: see `reason`. */
export type StreamState = "waiting" | "live" | "stopped" | "ended" | "failed";

export interface StreamEvent {
  /** Counts from 1 for each stream. */
  number: number;
  at: Date;
  result: Result;
}

export interface Stream {
  id: number;
  name: string;
  state: StreamState;
  /** Why it failed, in one line. */
  reason: string | null;
  /** Of the newest event that has one: where a new subscription would go on. */
  cursor: string | null;
  /** All events since the start. */
  received: number;
  /** Oldest first, at most KEPT_EVENTS. While paused, what was there when it was paused. */
  events: readonly StreamEvent[];
  /** Events that are neither shown nor held back any more. */
  dropped: number;
  /** Events that arrived while paused and are shown when it goes on; null: not paused. */
  held: readonly StreamEvent[] | null;
}

export type OpenStream = (request: StreamRequest, sink: Sink) => () => void;

interface Running {
  key: string;
  stop: () => void;
  watchers: Set<Sink>;
}

export interface Attachment {
  id: number;
  /** Stops watching; the stream goes on. */
  detach: () => void;
}

export class Streams {
  private streams: readonly Stream[] = [];
  private readonly running = new Map<number, Running>();
  private readonly listeners = new Set<() => void>();
  private lastId = 0;

  constructor(
    private readonly open: OpenStream,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Newest first; a new array after each change. */
  readonly current = (): readonly Stream[] => this.streams;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Starts a stream, or finds the one that is running with the same request, and passes its events to `watcher`. */
  attach(request: StreamRequest, watcher: Sink): Attachment {
    const { name: _, ...same } = request;
    const key = JSON.stringify(same);
    const [known] = [...this.running].find(([, each]) => each.key === key) ?? [];
    const id = known ?? this.start(request, key, watcher);
    const running = this.running.get(id);
    if (known !== undefined) {
      const newest = this.find(id)?.events.at(-1);
      running?.watchers.add(watcher);
      if (newest) watcher.next(newest.result);
    }
    return { id, detach: () => running?.watchers.delete(watcher) };
  }

  stop(id: number): void {
    this.end(id, "stopped", null, (watcher) => watcher.complete());
  }

  /** Holds events back, so that the list stands still; the subscription goes on. */
  pause(id: number): void {
    this.change(id, (stream) => ({ ...stream, held: stream.held ?? [] }));
  }

  resume(id: number): void {
    this.change(id, (stream) => ({ ...stream, ...bounded(stream, [...stream.events, ...(stream.held ?? [])]), held: null }));
  }

  /** Forgets the events, not how many there were. */
  clear(id: number): void {
    this.change(id, (stream) => ({ ...stream, events: [], held: stream.held && [], dropped: stream.received }));
  }

  /** Takes a stream that has ended off the list. */
  remove(id: number): void {
    if (!this.running.has(id)) this.become(this.streams.filter((stream) => stream.id !== id));
  }

  /** Forgets all events, and the streams that have ended: the next person at this page is not to see them. */
  forget(): void {
    for (const { id } of this.streams) {
      this.clear(id);
      this.remove(id);
    }
  }

  private start(request: StreamRequest, key: string, watcher: Sink): number {
    const id = ++this.lastId;
    const fresh = { state: "waiting", reason: null, cursor: null, received: 0, events: [], dropped: 0, held: null } as const;
    this.become([{ id, name: request.name, ...fresh }, ...this.streams]);
    const running: Running = { key, stop: () => undefined, watchers: new Set([watcher]) };
    this.running.set(id, running);
    const stop = this.open(request, {
      next: (result) => this.receive(id, result),
      error: (reason) => this.end(id, "failed", lineOf(reason), (each) => each.error(reason)),
      complete: () => this.end(id, "ended", null, (each) => each.complete()),
    });
    // It may have failed already.
    if (this.running.has(id)) running.stop = stop;
    return id;
  }

  private receive(id: number, result: Result): void {
    const running = this.running.get(id);
    if (running === undefined) return;
    this.change(id, (stream) => {
      const number = stream.received + 1;
      const event = { number, at: this.now(), result };
      const lists =
        stream.held === null
          ? bounded(stream, [...stream.events, event])
          : { held: [...stream.held, event].slice(-KEPT_EVENTS), ...dropsOf(stream) };
      return { ...stream, state: "live", received: number, cursor: cursorOf(result) ?? stream.cursor, ...lists };
    });
    for (const watcher of running.watchers) watcher.next(result);
  }

  private end(id: number, state: StreamState, reason: string | null, tell: (watcher: Sink) => void): void {
    const running = this.running.get(id);
    if (running === undefined) return;
    this.running.delete(id);
    running.stop();
    this.change(id, (stream) => ({ ...stream, state, reason }));
    const ended = this.streams.filter((stream) => !this.running.has(stream.id)).slice(KEPT_ENDED);
    if (ended.length > 0) this.become(this.streams.filter((stream) => !ended.includes(stream)));
    for (const watcher of running.watchers) tell(watcher);
  }

  private find(id: number): Stream | undefined {
    return this.streams.find((stream) => stream.id === id);
  }

  private change(id: number, made: (stream: Stream) => Stream): void {
    this.become(this.streams.map((stream) => (stream.id === id ? made(stream) : stream)));
  }

  private become(streams: readonly Stream[]): void {
    this.streams = streams;
    for (const listener of this.listeners) listener();
  }
}

/** The newest of these events, and how many were dropped for them. */
function bounded(stream: Stream, events: readonly StreamEvent[]): Pick<Stream, "events" | "dropped"> {
  const shown = events.slice(-KEPT_EVENTS);
  return { events: shown, dropped: stream.dropped + events.length - shown.length };
}

/** Of one more event that is held back. */
function dropsOf({ held, dropped }: Stream): Pick<Stream, "dropped"> {
  return { dropped: held !== null && held.length >= KEPT_EVENTS ? dropped + 1 : dropped };
}

function cursorOf({ data }: Result): string | null {
  const [event] = Object.values(data ?? {}) as ({ cursor?: unknown } | null)[];
  return typeof event?.cursor === "string" ? event.cursor : null;
}

function lineOf(reason: unknown): string {
  const first: unknown = Array.isArray(reason) ? reason[0] : reason;
  return typeof first === "object" && first !== null && "message" in first ? String(first.message) : String(first);
}
