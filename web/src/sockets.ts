/**
 * GraphQL subscriptions over graphql-transport-ws: for each tenant and token that tabs name a lazy socket, which reconnects
 * by itself and resumes.
 */

import type { FetcherParams } from "@graphiql/toolkit";
import { type Client, createClient } from "graphql-ws";
import type { Connection } from "./connections";
import { GRAPHQL_PATH, isUnauthenticated } from "./http";
import type { Notices } from "./notices";
import { renewOnExpiry } from "./renewing";
import { type Gap, type Sink, type SubscribingClient, subscribeResuming } from "./resuming";
import type { Session } from "./session";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

const RESYNC_NOTICE = "The server cannot go on where this subscription stopped. Events are missing; it goes on from now.";
const GAP_NOTICES: Record<Gap, string> = {
  "not-resumable": "The connection was lost, and events may be missing: this subscription has no `after: $after`.",
  "no-cursor": "The connection was lost, and events may be missing: this subscription selects no `cursor`.",
  "no-event": "The connection was lost before the first event. Events may be missing.",
};

export class Sockets {
  private readonly address: URL;
  /** By what they say when they open: a socket cannot change its tenant. */
  private readonly clients = new Map<string, Client>();

  constructor(
    private readonly session: Session,
    private readonly notices: Notices,
  ) {
    this.address = new URL(GRAPHQL_PATH, location.href);
    this.address.protocol = this.address.protocol === "https:" ? "wss:" : "ws:";
  }

  /**
   * The cookie authenticates the socket; a token, when the person typed one, goes with the connection instead.
   * `variable` is the one that the field's `after` takes, null when none does. Returns what ends the subscription.
   */
  subscribe(params: FetcherParams, variable: string | null, connection: Connection, sink: Sink): () => void {
    const { query, variables, operationName } = params;
    let hasEvents = false;
    const watched: Sink = {
      ...sink,
      next(result) {
        hasEvents = true;
        sink.next(result);
      },
    };
    return subscribeResuming(this.renewing(connection), { query, variables, operationName }, watched, {
      variable,
      onGap: (gap) => this.notices.show(GAP_NOTICES[gap]),
      onResync: (errors) => {
        // A cursor that the user typed is for the user to correct.
        if (!hasEvents) throw errors;
        this.notices.show(RESYNC_NOTICE);
        return null;
      },
    });
  }

  /** Cookies are read when a socket opens: a new session needs a new socket. Running subscriptions go on there. */
  reconnect(): void {
    for (const client of this.clients.values()) client.terminate();
  }

  private clientOf(connection: Connection): Client {
    const key = JSON.stringify(connection);
    const known = this.clients.get(key);
    if (known) return known;
    const client = createClient({
      url: this.address.href,
      lazy: true,
      keepAlive: 10_000,
      retryAttempts: Infinity,
      // By itself graphql-ws gives up when a connection cannot be opened, as while the server restarts.
      shouldRetry: () => true,
      retryWait: backOff,
      connectionParams: connection,
    });
    renewOnExpiry(client, async () => ((await this.renew(connection)) ? { renewed: true } : null));
    this.clients.set(key, client);
    return client;
  }

  /** The client, but for a session that has run out: that is renewed, once between events, and the payload sent again. */
  private renewing(connection: Connection): SubscribingClient {
    const client = this.clientOf(connection);
    return {
      subscribe: (payload, sink) => {
        let mayRenew = true;
        let closed = false;

        const start = (): (() => void) =>
          client.subscribe(payload, {
            next(result) {
              mayRenew = true;
              sink.next(result);
            },
            error: (reason) => (mayRenew && isUnauthenticated(reason) ? void again(reason) : sink.error(reason)),
            complete: () => sink.complete(),
          });

        const again = async (refusal: unknown): Promise<void> => {
          mayRenew = false;
          const renewed = await this.renew(connection);
          if (closed) return sink.complete();
          if (!renewed) return sink.error(refusal);
          this.reconnect();
          stop = start();
        };

        let stop = start();
        return () => {
          closed = true;
          stop();
        };
      },
    };
  }

  /** False without a session of this page's own, and where the server refuses or does not answer. */
  private async renew(connection: Connection): Promise<boolean> {
    return connection.authorization === undefined && (await this.session.renew().catch(() => false));
  }
}

function backOff(retries: number): Promise<void> {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}

/** The message for what ended a subscription: a printed close event shows nothing. */
export function explain(reason: unknown): unknown {
  if (!(reason instanceof CloseEvent)) return reason;
  return new Error(`The server closed the subscription: ${reason.code} ${reason.reason || "without a reason"}`);
}
