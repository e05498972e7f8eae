import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

/** A server on 127.0.0.1 with a port of its own. */
export interface Receiver {
  readonly port: number;
  /** How many TCP connections it has seen. */
  readonly connections: () => number;
  /** How many TCP connections are open now. */
  readonly open: () => number;
  /** How many bytes the connections have taken from it, before encryption where there is any. */
  readonly bytesSent: () => number;
  /** What came in, over all connections. */
  readonly received: () => string;
  readonly close: () => Promise<void>;
}

/** What a receiver does once a request has begun to arrive. */
export type Script = (connection: Connection) => void;

export interface Connection {
  readonly socket: Socket;
  readonly write: (text: string | Uint8Array) => void;
  readonly end: (text?: string) => void;
  /** Breaks the connection off with a RST. */
  readonly reset: () => void;
  /** Calls again and again until the connection is gone. */
  readonly every: (ms: number, act: () => void) => void;
  readonly after: (ms: number, act: () => void) => void;
  /** Writes as fast as the connection takes it, for ever. */
  readonly flood: (chunk: Uint8Array) => void;
}

/** Fifty megabytes of zeros in fifty kilobytes. */
const bomb = gzipSync(Buffer.alloc(50_000_000));

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** How a receiver with a good certificate can misbehave. */
export const scripts = {
  well: ({ end }) => {
    end(ok);
  },
  silent: () => undefined,
  slowHeaders: ({ write, every }) => {
    write('HTTP/1.1 200 OK\r\nx-slow: ');
    every(10, () => {
      write('a');
    });
  },
  slowErrorHeaders: ({ write, every }) => {
    write('HTTP/1.1 503 Busy\r\nx-slow: ');
    every(10, () => {
      write('a');
    });
  },
  slowStatusLine: ({ write, every }) => {
    const bytes = Array.from('HTTP/1.1 200 ');
    every(50, () => {
      write(bytes.shift() ?? 'O');
    });
  },
  drippingBody: ({ write, every }) => {
    write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
    every(10, () => {
      write('x');
    });
  },
  endless102: ({ flood }) => {
    flood(Buffer.from('HTTP/1.1 102 Processing\r\n\r\n'.repeat(500)));
  },
  endless100: ({ flood }) => {
    flood(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(500)));
  },
  unasked100: ({ end }) => {
    end(`HTTP/1.1 100 Continue\r\n\r\n${ok}`);
  },
  early102: ({ end }) => {
    end(`HTTP/1.1 102 Processing\r\n\r\n${ok}`);
  },
  early103: ({ end }) => {
    end(`HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n${ok}`);
  },
  infiniteBody: ({ write, flood }) => {
    write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n');
    flood(Buffer.alloc(65_536, 'x'));
  },
  infiniteErrorBody: ({ write, flood }) => {
    write('HTTP/1.1 500 Oh\r\n\r\n');
    flood(Buffer.alloc(65_536, 'x'));
  },
  hugeHeader: ({ end }) => {
    end(`HTTP/1.1 200 OK\r\nx-huge: ${'a'.repeat(1_000_000)}\r\n\r\n`);
  },
  hugeErrorHeader: ({ end }) => {
    end(`HTTP/1.1 500 Oh\r\nx-huge: ${'a'.repeat(1_000_000)}\r\n\r\n`);
  },
  endlessHeaders: ({ write, flood }) => {
    write('HTTP/1.1 200 OK\r\n');
    flood(Buffer.from('x-a: b\r\n'.repeat(1000)));
  },
  manyHeaders: ({ end }) => {
    end(
      `HTTP/1.1 200 OK\r\n${Array.from({ length: 10_000 }, (_, index) => `x-${index}: 1\r\n`).join('')}\r\n`,
    );
  },
  gzipBomb: ({ write, end }) => {
    write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    write(bomb);
    end();
  },
  resetBeforeHeaders: ({ reset }) => {
    reset();
  },
  resetInsideHeaders: ({ write, reset, after }) => {
    write('HTTP/1.1 200 OK\r\nx-a: ');
    after(30, reset);
  },
  resetInsideBody: ({ write, reset, after }) => {
    write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc');
    after(30, reset);
  },
  closedBeforeHeaders: ({ end }) => {
    end();
  },
  closedInsideHeaders: ({ end }) => {
    end('HTTP/1.1 200 OK\r\nx-a: b');
  },
  closedInsideBody: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc');
  },
  brokenChunk: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n');
  },
  garbage: ({ end }) => {
    end('\u0000\u0001 this is not HTTP\r\n\r\n');
  },
  http09: ({ end }) => {
    end('<html>hello</html>');
  },
  http2: ({ end }) => {
    end('HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n');
  },
  status099: ({ end }) => {
    end('HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n');
  },
  status999: ({ end }) => {
    end('HTTP/1.1 999 High\r\ncontent-length: 0\r\n\r\n');
  },
  status600: ({ end }) => {
    end('HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n');
  },
  switching: ({ write, flood }) => {
    write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    flood(Buffer.alloc(65_536, 'x'));
  },
  switchingUnnamed: ({ write }) => {
    write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  },
  noContent: ({ end }) => {
    end('HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n');
  },
  noContentWithBody: ({ end }) => {
    end('HTTP/1.1 204 No Content\r\n\r\nhello');
  },
  noContentWithLength: ({ end }) => {
    end('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello');
  },
  twoLengths: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk');
  },
  lengthAndChunked: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
  },
  noContentChunked: ({ end }) => {
    end('HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n');
  },
  noContentWithLengthOnly: ({ end }) => {
    end('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n');
  },
  noContentKeptOpen: ({ write }) => {
    write('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n');
  },
  negativeLength: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok');
  },
  strangeCoding: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, identity\r\n\r\nok');
  },
  closedBehindStatusLine: ({ end }) => {
    end('HTTP/1.1 200 OK\r\n');
  },
  resetBehindStatusLine: ({ write, reset, after }) => {
    write('HTTP/1.1 202 Accepted\r\n');
    after(30, reset);
  },
  resetBehindError: ({ write, reset, after }) => {
    write('HTTP/1.1 503 Busy\r\n');
    after(30, reset);
  },
  closedInsideStatusLine: ({ end }) => {
    end('HTTP/1.1 200 OK');
  },
  closedBehind100: ({ end }) => {
    end('HTTP/1.1 100 Continue\r\n\r\n');
  },
  closedInside102: ({ end }) => {
    end('HTTP/1.1 102 Processing\r\nx-a: b\r\n');
  },
  lineFeedsOnly: ({ end }) => {
    end('HTTP/1.1 200 OK\ncontent-length: 2\n\nok');
  },
  noReason: ({ end }) => {
    end('HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n');
  },
  noReasonButBlank: ({ end }) => {
    end('HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n');
  },
  reasonInLatin1: ({ write, end }) => {
    write(Buffer.from('HTTP/1.1 200 D\u00e9j\u00e0 vu\r\ncontent-length: 0\r\n\r\n', 'latin1'));
    end();
  },
  twoBlanks: ({ end }) => {
    end('HTTP/1.1  200\tOK\r\ncontent-length: 0\r\n\r\n');
  },
  http10: ({ end }) => {
    end('HTTP/1.0 200 OK\r\n\r\nok');
  },
  http12: ({ end }) => {
    end('HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok');
  },
  blankLineFirst: ({ end }) => {
    end(`\r\n${ok}`);
  },
  foldedHeader: ({ end }) => {
    end('HTTP/1.1 200 OK\r\nx-long: a\r\n b\r\n\tc\r\ncontent-length: 2\r\n\r\nok');
  },
  blankBeforeColon: ({ end }) => {
    end('HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok');
  },
  blankBeforeFirstHeader: ({ end }) => {
    end('HTTP/1.1 200 OK\r\n x-a: b\r\ncontent-length: 2\r\n\r\nok');
  },
  lineThatIsNoHeader: ({ end }) => {
    end('HTTP/1.1 200 OK\r\nPHP Warning, cannot modify\r\ncontent-length: 2\r\n\r\nok');
  },
  strangeHeaderBytes: ({ write, end }) => {
    write(
      Buffer.from(
        'HTTP/1.1 200 OK\r\nx(a): \u0000\u0007\u00ff\r\n: b\r\ncontent-length: 0\r\n\r\n',
        'latin1',
      ),
    );
    end();
  },
  byteByByte: ({ write, every }) => {
    const bytes = Array.from(ok);
    every(1, () => {
      write(bytes.shift() ?? '');
    });
  },
  http2Frames: ({ write }) => {
    write(Uint8Array.from([0, 0, 18, 4, 0, 0, 0, 0, 0]));
  },
  mailServer: ({ write }) => {
    write('220 mail.example ESMTP');
  },
  longStatus: ({ end }) => {
    end('HTTP/1.1 2000 OK\r\n\r\n');
  },
  wordInsteadOfStatus: ({ end }) => {
    end('HTTP/1.1 OK\r\n\r\n');
  },
} satisfies Record<string, Script>;

export function answering(status: number, headers = ''): Script {
  return ({ end }) => {
    end(`HTTP/1.1 ${status} Whatever\r\n${headers}content-length: 0\r\n\r\n`);
  };
}

/** A receiver that speaks TLS, and then follows its script. */
export async function aTlsReceiver(script: Script, options: TlsOptions): Promise<Receiver> {
  const raws = new Map<number | undefined, Socket>();
  const received: string[] = [];
  const server = createTlsServer(options, (socket: TLSSocket) => {
    const raw = raws.get(socket.remotePort);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => received.push(chunk.toString('latin1')));
    socket.once('data', () => {
      script(toConnection(socket, raw ?? socket));
    });
  });
  server.on('tlsClientError', () => undefined);
  return await listen(server, { raws, received });
}

/** A receiver that accepts connections and speaks no TLS. */
export async function aTcpReceiver(
  onConnection: (socket: Socket) => void = (socket) => socket.resume(),
): Promise<Receiver> {
  return await listen(createTcpServer(onConnection), { raws: new Map(), received: [] });
}

/** A port on which nothing listens. */
export async function aClosedPort(): Promise<number> {
  const receiver = await aTcpReceiver();
  await receiver.close();
  return receiver.port;
}

/** A port whose connections are never completed: a listener that never accepts, with its backlog full. */
export async function aDeafPort(): Promise<{ port: number; close: () => Promise<void> }> {
  const worker = new Worker(
    `const { createServer } = require('node:net');
     const { parentPort } = require('node:worker_threads');
     const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const { connect } = await import('node:net');
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

async function listen(
  server: Server,
  seen: { raws: Map<number | undefined, Socket>; received: string[] },
): Promise<Receiver> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let bytesSent = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    const port = socket.remotePort;
    seen.raws.set(port, socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      bytesSent += socket.bytesWritten;
      sockets.delete(socket);
      seen.raws.delete(port);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    open: () => sockets.size,
    bytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, bytesSent),
    received: () => seen.received.join(''),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}

function toConnection(socket: Socket, raw: Socket): Connection {
  const write = (text: string | Uint8Array): void => {
    if (socket.writable) socket.write(text);
  };
  const stopWithSocket = (timer: NodeJS.Timeout): void => {
    socket.once('close', () => {
      clearInterval(timer);
    });
  };
  return {
    socket,
    write,
    end: (text = '') => socket.end(text),
    reset: () => raw.resetAndDestroy(),
    every: (ms, act) => {
      stopWithSocket(setInterval(act, ms));
    },
    after: (ms, act) => {
      stopWithSocket(setTimeout(act, ms));
    },
    flood: (chunk) => {
      const pump = (): void => {
        while (socket.writable && socket.write(chunk));
      };
      socket.on('drain', pump);
      pump();
    },
  };
}
