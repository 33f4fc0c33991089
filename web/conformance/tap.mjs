// Listens to the sockets of a page in a browser.

/** Stands between the page and the server, and drops a connection as a server that restarts would. */
export async function tapSockets(page) {
  const tap = { cursors: [], payloads: [], waiting: new Set(), muted: false };
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const server = socket.connectToServer();
    tap.drop = () => Promise.all([server.close(), socket.close({ code: 1012, reason: "Service restart" })]);
    socket.onMessage((data) => {
      const { type, payload } = JSON.parse(data);
      tap.payloads.push({ type, payload });
      server.send(data);
      for (const look of tap.waiting) look();
    });
    server.onMessage((data) => {
      const { type, payload } = JSON.parse(data);
      if (type === "next" && tap.muted) return;
      if (type === "next") tap.cursors.push(...Object.values(payload.data ?? {}).map((event) => event.cursor));
      socket.send(data);
    });
  });

  /** The payload of the oldest message of this type that the page has sent and that was not taken yet. */
  async function sent(type) {
    for (;;) {
      const index = tap.payloads.findIndex((message) => message.type === type);
      if (index >= 0) return tap.payloads.splice(index, 1)[0].payload;
      let look;
      await new Promise((resolve) => tap.waiting.add((look = resolve)));
      tap.waiting.delete(look);
    }
  }

  return {
    /** Of the events that the page was given. */
    cursors: tap.cursors,
    sent,
    /** How many messages of this type were sent and not taken. */
    untaken: (type) => tap.payloads.filter((message) => message.type === type).length,
    drop: () => tap.drop(),
    /** From here on the page receives no event. */
    mute: () => (tap.muted = true),
  };
}
