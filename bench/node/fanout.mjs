// graphql-ws on Node with one subscription, as its documentation shows it: ws, graphql-js, a generator for each
// subscriber. Fed with ready events from one Redis channel; there is no database.
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';

const { BENCH_CHANNEL, BENCH_REDIS_URL, HOST, PORT } = process.env;

const schema = buildSchema(`
  type Block { height: Int! hash: String! }
  type BlockEvent { cursor: String! block: Block! }
  type Query { ready: Boolean! }
  type Subscription { blocks: BlockEvent! }
`);

const events = new EventEmitter().setMaxListeners(0);

async function* blocks() {
  const waiting = [];
  let wake = () => {};
  const hear = (event) => {
    waiting.push(event);
    wake();
  };
  events.on('block', hear);
  try {
    for (;;) {
      while (waiting.length > 0) yield { blocks: waiting.shift() };
      await new Promise((resolve) => (wake = resolve));
    }
  } finally {
    events.off('block', hear);
  }
}

const redis = createClient({ url: BENCH_REDIS_URL });
await redis.connect();
await redis.subscribe(BENCH_CHANNEL, (message) => events.emit('block', JSON.parse(message)));

const http = createServer((_, response) => response.end('ready'));
const sockets = new WebSocketServer({ server: http, path: '/graphql', perMessageDeflate: false });
useServer({ schema, roots: { subscription: { blocks } } }, sockets);
http.listen({ port: Number(PORT), host: HOST, backlog: 2048 });
await once(http, 'listening');
