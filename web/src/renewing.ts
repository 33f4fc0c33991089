/**
 * Sockets that outlive their access token. Dependency-free but for types: copy this file into your own client.
 *
 * Before the token of a socket expires, Moneta sends a `ping` whose payload is `{expiresAt, expiresInS}`. A `pong`
 * that brings a new one, `{authorization: "Bearer ..."}`, keeps the socket and its subscriptions; so does
 * `{renewed: true}`, for a page whose session is in HttpOnly cookies, once it has renewed that session over HTTP.
 * Otherwise the socket is closed at that time, with a code after which clients connect again.
 */

import type { Client } from "graphql-ws";

export interface Expiry {
  /** ISO 8601. */
  expiresAt: string;
  /** Seconds left when the server sent this. */
  expiresInS: number;
}

export type Renewal = { authorization: string } | { renewed: true };

/**
 * Answers each warning with what `renew` gives; null: with nothing. `renew` deals with its own errors: what it throws
 * counts as null. The echo that graphql-ws sends at once, in answer to any ping, does no harm. Returns what ends this.
 */
export function renewOnExpiry(
  client: Pick<Client, "on">,
  renew: (expiry: Expiry) => Promise<Renewal | null>,
): () => void {
  let socket: Pick<WebSocket, "send"> | null = null;

  async function answer(expiry: Expiry): Promise<void> {
    const warned = socket;
    const payload = await renew(expiry).catch(() => null);
    // A socket that was opened meanwhile began with newer credentials, or will be warned itself.
    if (payload !== null && socket === warned) warned?.send(JSON.stringify({ type: "pong", payload }));
  }

  const stops = [
    client.on("connected", (opened) => {
      socket = opened as WebSocket;
    }),
    client.on("closed", () => {
      socket = null;
    }),
    client.on("ping", (received, payload) => {
      if (received && isExpiry(payload)) void answer(payload);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function isExpiry(payload: unknown): payload is Expiry {
  return typeof payload === "object" && payload !== null && "expiresAt" in payload;
}
