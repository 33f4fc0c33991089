/**
 * Subscriptions that continue where they stopped. Dependency-free: copy this file into your own client.
 *
 * Clients such as graphql-ws and graphql-sse subscribe again, by themselves, when a connection is lost, and put the
 * same payload on the wire each time: events in between are lost silently. Moneta's durable subscriptions
 * take `after`, the cursor of an event, and replay what follows it before they go on live. `subscribeResuming` puts
 * the newest cursor that the sink has received into the payload of each retry. It neither drops nor repeats anything.
 *
 * A document takes part when it declares the variable and selects `cursor`:
 *
 *     subscription ($after: Cursor) { blocks(after: $after) { cursor block { height hash } } }
 *
 * An event counts once `sink.next` has returned, so a sink that stores what it gets should do so before it returns.
 */

export interface Payload {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
  extensions?: Record<string, unknown> | null;
}

export interface ResultError {
  message: string;
  extensions?: Record<string, unknown>;
}

export interface Result {
  data?: Record<string, unknown> | null;
  errors?: readonly ResultError[];
}

export interface Sink<R = Result> {
  next(result: R): void;
  error(reason: unknown): void;
  complete(): void;
}

/** What graphql-ws and graphql-sse have in common. */
export interface SubscribingClient {
  subscribe(payload: Payload, sink: Sink): () => void;
}

/**
 * Why a subscription that was connected again did not go on where it stopped:
 * - `not-resumable`: the document does not declare the variable for `after`;
 * - `no-cursor`: its events have no `cursor`; what followed a cursor that was given at the start comes again;
 * - `no-event`: no event had arrived, and no cursor was given at the start.
 */
export type Gap = "not-resumable" | "no-cursor" | "no-event";

export interface ResumingOptions {
  /** The variable that the field's `after` takes; null: none does. Default: `after`, if the document declares it. */
  variable?: string | null;
  /**
   * The server cannot prove that nothing would be missing (RESYNC_REQUIRED). Load anew what you show, and return the
   * `streamCursor` of what you loaded: the subscription goes on from there; null: from now on. What this throws, and a
   * second refusal before any event, ends the subscription with an error, as does every refusal without this option.
   */
  onResync?: (errors: readonly ResultError[], payload: Payload) => string | null | Promise<string | null>;
  /** The subscription was connected again and could not resume: events may be missing, or come again. */
  onGap?: (gap: Gap, payload: Payload) => void;
}

/** As `client.subscribe`; returns what ends the subscription. */
export function subscribeResuming<R = Result>(
  client: SubscribingClient,
  payload: Payload,
  sink: Sink<R>,
  { variable = "after", onResync, onGap }: ResumingOptions = {},
): () => void {
  const canResume = variable !== null && declares(payload.query, variable);
  /** Where the next attempt begins; undefined: where the caller's own variables say. */
  let after: string | null | undefined;
  let hasEvents = false;
  let hasCursors = false;
  let wasRefused = false;
  let closed = false;
  let stop = (): void => undefined;
  stop = start();

  function start(): () => void {
    let attempts = 0;
    let superseded = false;

    /** A client serializes the payload once for each attempt, so the cursor is read at that time. */
    function toJSON(this: Payload): object {
      attempts += 1;
      const gap = attempts > 1 ? gapNow() : null;
      if (gap !== null) queueMicrotask(() => onGap?.(gap, payload));
      const variables = canResume && after !== undefined ? { ...this.variables, [variable]: after } : this.variables;
      return { ...this, variables, toJSON: undefined };
    }

    function refused(errors: readonly ResultError[]): void {
      superseded = true;
      stop();
      void resync(errors);
    }

    return client.subscribe({ ...payload, toJSON } as Payload, {
      next(result) {
        if (isResync(result.errors)) return refused(result.errors);
        sink.next(result as R);
        note(result);
      },
      error(reason) {
        if (isResync(reason)) return refused(reason);
        sink.error(reason);
      },
      complete() {
        // Some clients report that they were stopped, although the subscription only restarts.
        if (!superseded) sink.complete();
      },
    });
  }

  function note(result: Result): void {
    const event = eventOf(result);
    if (event === null) return;
    hasEvents = true;
    wasRefused = false;
    if (typeof event.cursor !== "string") return;
    hasCursors = true;
    after = event.cursor;
  }

  function gapNow(): Gap | null {
    if (!canResume) return "not-resumable";
    if (hasEvents && !hasCursors) return "no-cursor";
    return typeof (after === undefined ? payload.variables?.[variable] : after) === "string" ? null : "no-event";
  }

  async function resync(errors: readonly ResultError[]): Promise<void> {
    try {
      if (onResync === undefined || wasRefused) throw errors;
      wasRefused = true;
      after = await onResync(errors, payload);
    } catch (reason) {
      return closed ? sink.complete() : sink.error(reason);
    }
    if (closed) return sink.complete();
    hasEvents = hasCursors = false;
    stop = start();
  }

  return () => {
    closed = true;
    stop();
  };
}

/** The object under the single root field of a subscription's result; null where an error took its place. */
function eventOf({ data }: Result): Record<string, unknown> | null {
  const [event] = Object.values(data ?? {});
  return typeof event === "object" && event !== null ? (event as Record<string, unknown>) : null;
}

function declares(query: string, variable: string): boolean {
  const code = query.replace(/"""[^]*?"""|"(?:\\.|[^"\\\n])*"|#.*/g, "");
  return new RegExp(`\\$${variable}[\\s,]*:`).test(code);
}

function isResync(errors: unknown): errors is readonly ResultError[] {
  return Array.isArray(errors) && errors[0]?.extensions?.code === "RESYNC_REQUIRED";
}
