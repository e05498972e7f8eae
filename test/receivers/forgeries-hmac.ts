import { createHmac, randomBytes } from 'node:crypto';
import {
  aheadSeconds,
  anEvent,
  changed,
  flipped,
  newEventId,
  nowSeconds,
  oldSeconds,
  staleSeconds,
  without,
} from './forgeries.ts';
import type { Case, Forged } from './forgeries.ts';

/** What a sample with this secret must accept and refuse. */
export function hmacCases(secret: string): readonly Case[] {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const foreign = randomBytes(32);
  const genuine = (ageSeconds = 0) => signed({ keys: [key], ageSeconds });
  const withSignature = (value: string) => () => changed(genuine(), { 'webhook-signature': value });
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
  const ofBody = (body: Buffer) => () => signed({ keys: [key], body });
  return [
    {
      column: 'genuine',
      verdict: 'accepted',
      requests: {
        now: () => genuine(),
        'four minutes old': () => genuine(oldSeconds),
        'in rotation, the other secret first': () => signed({ keys: [foreign, key] }),
        'in rotation, the other secret last': () => signed({ keys: [key, foreign] }),
      },
    },
    {
      column: 'tampered',
      verdict: 'refused',
      requests: {
        'a bit of the body': () => ({ ...genuine(), body: flipped(genuine().body) }),
        'a space after the body': () => padded(genuine()),
        'another id': () => changed(genuine(), { 'webhook-id': newEventId() }),
        'another time': () => changed(genuine(oldSeconds), { 'webhook-timestamp': String(nowSeconds()) }),
      },
    },
    {
      column: 'stale',
      verdict: 'refused',
      requests: { '301 s old': () => genuine(staleSeconds), 'ahead of time': () => genuine(-aheadSeconds) },
    },
    { column: 'foreign key', verdict: 'refused', requests: { '': () => signed({ keys: [foreign] }) } },
    {
      column: 'missing header',
      verdict: 'refused',
      requests: {
        ...Object.fromEntries(names.map((name) => [name, () => without(genuine(), name)])),
        all: () => without(genuine(), ...names),
      },
    },
    {
      column: 'malformed',
      verdict: 'refused',
      requests: {
        'no comma': withSignature('v1'),
        'nothing after the comma': withSignature('v1,'),
        'not base64': withSignature('v1,%%%'),
        'two spaces': withSignature('v1,a  v1,b'),
        'commas only': withSignature(',,,,'),
        'another version': withSignature('v2,AAAA'),
        'a long one': withSignature(`v1,${'A'.repeat(4_000)}`),
        'time in letters': () => changed(genuine(), { 'webhook-timestamp': 'now' }),
        'time beyond all': () => changed(genuine(), { 'webhook-timestamp': '1e999' }),
        'an empty body': () => ({ ...genuine(), body: Buffer.alloc(0) }),
        'a body that is not UTF-8': ofBody(Buffer.from([0x22, 0xff, 0xfe, 0x80, 0x22])),
      },
    },
    { column: 'still up', verdict: 'accepted', requests: { 'after all that': () => genuine() } },
  ];
}

interface ToSign {
  readonly keys: readonly Buffer[];
  readonly ageSeconds?: number;
  readonly body?: Buffer;
}

/** Standard Webhooks 1.0.0, apart from the product's own signer. */
function signed({ keys, ageSeconds = 0, body = anEvent() }: ToSign): Forged {
  const [id, timestamp] = [newEventId(), String(nowSeconds() - ageSeconds)];
  const one = (key: Buffer) =>
    createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return {
    body,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': keys.map((key) => `v1,${one(key)}`).join(' '),
    },
  };
}

function padded({ headers, body }: Forged): Forged {
  return { headers, body: Buffer.concat([body, Buffer.from(' ')]) };
}
