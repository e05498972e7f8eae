import { once } from 'node:events';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './child.ts';
import type { Forged } from './forgeries.ts';

/** Where a sample listens, and whom to trust for it. */
export interface Place {
  readonly port: number;
  readonly authority: string;
}

const requestLimitMs = 10_000;

/** Status of the sample's answer to a request of our own. */
export async function send({ port, authority }: Place, { headers, body }: Forged): Promise<number> {
  const sent = request({
    ...{ host: '127.0.0.1', port, path: '/webhooks', method: 'POST', ca: authority, agent: false },
    headers: { ...headers, 'content-type': 'application/json', 'content-length': body.length },
    signal: AbortSignal.timeout(requestLimitMs),
  });
  const status = new Promise<number>((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
  sent.end(body);
  return status;
}

const startLimitMs = 30_000;

/** @throws Error with the sample's output when it ends, or does not answer in time. */
export async function untilUp(server: Server, place: Place): Promise<void> {
  const end = Date.now() + startLimitMs;
  const nothing = { headers: {}, body: Buffer.alloc(0) };
  for (;;) {
    if (server.hasEnded()) throw new Error(`it did not start: ${server.output()}`);
    const isUp = await send(place, nothing).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    if (Date.now() > end) throw new Error(`no answer in ${startLimitMs / 1000} s: ${server.output()}`);
    await sleep(100);
  }
}

/** A port that was free a moment ago: the endpoint's URL must be known before the sample can be configured. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  server.close();
  await once(server, 'close');
  return address.port;
}
