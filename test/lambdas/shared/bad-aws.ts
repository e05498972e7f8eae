import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A server of AWS's that behaves badly, for as long as anybody asks it. */
export interface BadAws {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** Ways in which a server can keep its caller waiting, or send him away. */
export const badServers = {
  'accepts and never answers': () => onSockets(() => undefined),
  'never ends the handshake of TLS': () => onSockets(() => undefined, 'https'),
  'never accepts': neverAccepting,
  'drips its headers': () =>
    onSockets((socket) => {
      drip(socket, 'HTTP/1.1 200 OK\r\nx-drip: ');
    }),
  'drips its body': () =>
    onRequests((answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      drip(answer, '{"Text":"');
    }),
  'stops in the middle of its body': () =>
    onRequests((answer) => {
      answer.writeHead(200, { 'content-length': 1_000 });
      answer.write('{"Text":"');
    }),
  resets: () => onSockets((socket) => socket.once('data', () => socket.resetAndDestroy())),
  'answers 500 each time': () => onRequests((answer) => answer.writeHead(500).end('{}')),
  'throttles each time, and asks for a minute': () =>
    onRequests((answer) => {
      answer.writeHead(400, { 'x-amz-retry-after': '60000', 'content-type': 'application/x-amz-json-1.0' });
      answer.end(JSON.stringify({ __type: 'ThrottlingException', message: 'slow down' }));
    }),
  'answers 500 after a while each time': () =>
    onRequests((answer) => {
      setTimeout(() => answer.writeHead(500, { 'x-amz-retry-after': '60000' }).end('{}'), 2_500);
    }),
} as const satisfies Readonly<Record<string, () => Promise<BadAws>>>;

/** A byte again and again, so that no idle time ever ends. */
function drip(to: Socket | ServerResponse, start: string): void {
  to.write(start);
  const timer = setInterval(() => to.write('x'), 200);
  to.once('close', () => {
    clearInterval(timer);
  });
}

/** Answers each request as it is told, by its number. */
export async function onRequests(handle: (answer: ServerResponse, index: number) => void): Promise<BadAws> {
  let requests = 0;
  const server = createHttpServer((request, answer) => {
    request.resume();
    handle(answer, requests);
    requests += 1;
  });
  return listening(server, 'http');
}

async function onSockets(handle: (socket: Socket) => void, scheme = 'http'): Promise<BadAws> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    handle(socket);
  });
  return listening(server, scheme);
}

async function listening(server: Server, scheme: string): Promise<BadAws> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `${scheme}://127.0.0.1:${portOf(server)}`,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** What its thread is stuck in accepts nobody; when its line is full, the kernel answers nobody any more. */
async function neverAccepting(): Promise<BadAws> {
  const worker = new Worker(stuck, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const line: Socket[] = [];
  for (let isFull = false; !isFull;) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    line.push(socket);
    isFull = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<true>((resolve) => setTimeout(resolve, 500, true)),
    ]);
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of line) socket.destroy();
      await worker.terminate();
    },
  };
}

const stuck = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;
