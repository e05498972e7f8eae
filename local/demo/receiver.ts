import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { makeLoopbackIdentity } from './authority.ts';

/** How a path answers a webhook whose signature is right, given how often it has seen this one before. */
export type Behaviour = (seenBefore: number) => number;

/** A request as it arrived. */
export interface Received {
  readonly path: string;
  readonly atMs: number;
  readonly webhookId: string;
  readonly timestampSeconds: number;
  readonly signature: string;
  readonly body: Buffer;
  /** By the stock `standardwebhooks` library, with the secret of this path. */
  readonly isVerified: boolean;
  readonly statusCode: number;
}

export interface DemoReceiver {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  /** PEM of the authority that signed its certificate: who trusts it reaches the receiver. */
  readonly authority: string;
  /** Sets the secret of a path, as its owner would after creating the endpoint. */
  readonly trust: (path: string, secret: string) => void;
  readonly behave: (path: string, behaviour: Behaviour) => void;
  readonly stop: () => Promise<void>;
}

/** Ids of webhooks remembered to count repetitions; a demo may run for days. */
const seenMax = 10_000;

/**
 * What a customer would run: an HTTPS server that verifies each webhook before it looks at it.
 *
 * @param onReceived told of every request, after it was answered.
 * @param wantedPort taken if it is free; 0 for any.
 */
export async function startDemoReceiver(
  onReceived: (received: Received) => void = () => undefined,
  wantedPort = 0,
): Promise<DemoReceiver> {
  const { authority, certificate, key } = await makeLoopbackIdentity();
  const secrets = new Map<string, string>();
  const behaviours = new Map<string, Behaviour>();
  const seen = new Map<string, number>();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const body = await buffer(request);
    const webhookId = headerOf(request, 'webhook-id');
    const isVerified = verify(secrets.get(path), body, request);
    const times = seen.get(`${path} ${webhookId}`) ?? 0;
    const statusCode = isVerified ? (behaviours.get(path)?.(times) ?? 204) : 401;
    if (isVerified) remember(seen, `${path} ${webhookId}`, times + 1);
    response.writeHead(statusCode).end();
    const timestampSeconds = Number(headerOf(request, 'webhook-timestamp'));
    const signature = headerOf(request, 'webhook-signature');
    const atMs = Date.now();
    onReceived({ path, atMs, webhookId, timestampSeconds, signature, body, isVerified, statusCode });
  };
  const server = createServer({ key, cert: certificate, minVersion: 'TLSv1.2' }, (request, response) => {
    // A caller that hangs up in the middle is its own affair.
    answer(request, response).catch(() => response.destroy());
  });
  // Somebody else may have the port by now.
  const port = await listen(server, wantedPort).catch(() => listen(server, 0));
  return {
    url: `https://127.0.0.1:${port}`,
    authority,
    trust: (path, secret) => secrets.set(path, secret),
    behave: (path, behaviour) => behaviours.set(path, behaviour),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The demo receiver has no port');
  return address.port;
}

/** The three lines that every receiver needs: raw body, headers, secret (it also refuses old timestamps). */
function verify(secret: string | undefined, body: Buffer, request: IncomingMessage): boolean {
  if (secret === undefined) return false;
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const headers = Object.fromEntries(names.map((name) => [name, headerOf(request, name)]));
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function remember(seen: Map<string, number>, key: string, times: number): void {
  seen.set(key, times);
  const [oldest] = seen.keys();
  if (seen.size > seenMax && oldest !== undefined) seen.delete(oldest);
}
