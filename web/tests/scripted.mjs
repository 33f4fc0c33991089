// A graphql-transport-ws server that says what a test tells it to, and a client for it.
import { once } from "node:events";
import { createClient } from "graphql-ws";
import { WebSocket, WebSocketServer } from "ws";

export const NEW_BLOCK = "subscription ($after: Cursor) { blocks(after: $after) { cursor block { height } } }";

/** Starts the server, and a client that connects again at once; both end with the test. */
export async function connect(test) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "graphql-transport-ws" });
  await once(server, "listening");
  const script = new Script(server);
  const client = createClient({
    url: `ws://127.0.0.1:${server.address().port}`,
    webSocketImpl: WebSocket,
    retryAttempts: 10,
    retryWait: () => Promise.resolve(),
  });
  test.after(async () => {
    await client.dispose();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { client, script };
}

/** The server's end of the newest socket. */
class Script {
  constructor(server) {
    this.incoming = inbox();
    server.on("connection", (socket) => {
      this.socket = socket;
      socket.on("message", (data) => this.receive(JSON.parse(data)));
    });
  }

  receive(message) {
    if (message.type === "connection_init") this.send({ type: "connection_ack" });
    else this.incoming.put(message);
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  /** The next message that is not part of the handshake. */
  async received(type) {
    const message = await this.incoming.take();
    if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message;
  }

  /** The next `subscribe`; what follows answers it. */
  async subscribed() {
    const { id, payload } = await this.received("subscribe");
    this.id = id;
    return payload;
  }

  block(height, cursor = `c${height}`) {
    this.send({ id: this.id, type: "next", payload: { data: { blocks: { cursor, block: { height } } } } });
  }

  refuse(code) {
    this.send({ id: this.id, type: "error", payload: [{ message: "No.", extensions: { code } }] });
  }

  complete() {
    this.send({ id: this.id, type: "complete" });
  }

  drop(code = 1012) {
    this.socket.close(code);
  }
}

/** A sink that notes all it is told, in order, in short. */
export function recorder() {
  const told = inbox();
  return {
    next: ({ data, errors }) => told.put(errors ? `errors ${errors[0].message}` : data.blocks.block.height),
    error: (reason) => told.put(Array.isArray(reason) ? `error ${reason[0].extensions.code}` : reason),
    complete: () => told.put("complete"),
    take: () => told.take(),
    /** What was told and not taken. */
    rest: () => told.rest(),
    put: (word) => told.put(word),
  };
}

function inbox() {
  const items = [];
  let arrived = () => undefined;
  return {
    put(item) {
      items.push(item);
      arrived();
    },
    async take() {
      while (items.length === 0) await new Promise((resolve) => (arrived = resolve));
      return items.shift();
    },
    rest: () => items.splice(0),
  };
}
