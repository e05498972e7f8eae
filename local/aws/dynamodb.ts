import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

import dynalite from 'dynalite';

/** DynamoDB: dynalite, whose requests reach it through our own server. */
export interface DynamoDb {
  /** Has dynalite answer a request whose body has been read. */
  answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void;
  close(): Promise<void>;
}

/** @param folder where tables are kept; without one they are gone with the process */
export function openDynamoDb(folder?: string): DynamoDb {
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(folder !== undefined && { path: folder }),
  });
  return {
    answer: (request, response, body) => {
      server.emit('request', replayed(request, body), response);
    },
    close: () =>
      new Promise((resolve, reject) => {
        // dynalite closes its store only after its server has closed, and a server that never listened cannot close.
        server.listen(0, '127.0.0.1', () => {
          server.close((error) => {
            if (error) reject(error);
            else resolve();
          });
        });
      }),
  };
}

/**
 * The request again, with its body unread. dynalite is not given the real one: it throws, and ends the process, when a
 * caller hangs up in the middle; and it opens itself to any web page (CORS) when it sees an `origin`.
 */
function replayed({ method, url, headers }: IncomingMessage, body: Buffer): Readable {
  return Object.assign(Readable.from([body]), { method, url, headers: { ...headers, origin: undefined } });
}
