import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { bodyOf } from '../../../lambdas/event/event.ts';
import { signHmac } from '../../../lambdas/signing/hmac.ts';
import { keyOf, newSecret } from '../../../lambdas/signing/secret.ts';

const vectorsText = readFileSync(new URL('../../data/vectors.json', import.meta.url), 'utf8');
const { vectors } = z
  .object({ vectors: z.array(z.looseObject({ scheme: z.string() })) })
  .parse(JSON.parse(vectorsText));

const signedVector = z.object({
  id: z.string(),
  secret: z.string(),
  webhook_id: z.string(),
  webhook_timestamp: z.number(),
  payload: z.string(),
  webhook_signature: z.string(),
  expect: z.string(),
});
const standard = vectors.filter(({ scheme }) => scheme === 'standard-webhooks-v1');
const signed = standard.filter((vector) => 'payload' in vector).map((vector) => signedVector.parse(vector));
const rejectedSecrets = standard
  .filter((vector) => !('payload' in vector))
  .flatMap(
    (vector) =>
      z.object({ secrets_must_be_rejected: z.array(z.string()) }).parse(vector).secrets_must_be_rejected,
  );
const rfc4231 = vectors
  .filter(({ scheme }) => scheme === 'hmac-sha256')
  .map((vector) =>
    z
      .object({ id: z.string(), key_hex: z.string(), data_hex: z.string(), mac_hex: z.string() })
      .parse(vector),
  );

const now = Date.UTC(2026, 10, 23, 10);
const secret = newSecret(() => new Uint8Array(32).fill(7));

describe('the published vectors of Standard Webhooks', () => {
  it('are all here', () => {
    expect(signed).toHaveLength(9);
    expect(rejectedSecrets).toEqual(['', 'whsec_']);
  });

  it.each(signed)('$id: our signature is in it exactly when it is valid', (vector) => {
    const ours = signHmac(
      {
        webhookId: vector.webhook_id,
        timestamp: String(vector.webhook_timestamp),
        body: Buffer.from(vector.payload),
      },
      [keyOf(vector.secret)],
    );
    expect(vector.webhook_signature.split(' ').includes(ours)).toBe(vector.expect.startsWith('valid'));
  });

  it.each(rejectedSecrets)('%j is no secret', (text) => {
    expect(() => keyOf(text)).toThrow();
  });
});

describe('HMAC-SHA256 of RFC 4231', () => {
  // What is signed begins with `id.timestamp.`: the vectors hold for the function beneath, which this pins.
  it.each(rfc4231)('$id', ({ key_hex, data_hex, mac_hex }) => {
    const mac = createHmac('sha256', Buffer.from(key_hex, 'hex')).update(Buffer.from(data_hex, 'hex'));
    expect(mac.digest('hex')).toBe(mac_hex);
  });

  it.each(rfc4231)(
    '$id: a signature is the HMAC of id, time and body joined by dots',
    ({ key_hex, data_hex }) => {
      const key = Buffer.from(key_hex, 'hex');
      const body = Buffer.from(data_hex, 'hex');
      const joined = Buffer.concat([Buffer.from('evt_1.1700000000.'), body]);
      expect(signHmac({ webhookId: 'evt_1', timestamp: '1700000000', body }, [key])).toBe(
        `v1,${createHmac('sha256', key).update(joined).digest('base64')}`,
      );
    },
  );
});

describe('signHmac', () => {
  const signable = { webhookId: 'evt_1', timestamp: '1700000000', body: Buffer.from('{}') };
  const keys = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

  it('signs with every key, the newest first, one space between and none at the end', () => {
    const each = keys.map((key) => signHmac(signable, [key]));
    expect(signHmac(signable, keys)).toBe(each.join(' '));
    expect(signHmac(signable, keys)).toMatch(/^v1,[\w+/]{43}= v1,[\w+/]{43}= v1,[\w+/]{43}=$/);
  });

  it('nothing goes out unsigned', () => {
    expect(() => signHmac(signable, [])).toThrow();
  });

  it.each([
    ['id', { webhookId: 'evt_2' }],
    ['time', { timestamp: '1700000001' }],
    ['body', { body: Buffer.from('{} ') }],
  ])('another %s makes another signature', (_what, change) => {
    expect(signHmac({ ...signable, ...change }, keys)).not.toBe(signHmac(signable, keys));
  });
});

describe('receivers with stock libraries', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now, toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Any JSON text as a producer may send it, also with numbers that no double holds. */
  const anyJson = fc.oneof(
    fc.json(),
    fc.bigInt().map((number) => `{"n":${String(number)}}`),
  );

  it.each([
    ['standardwebhooks', (key: string) => new StandardWebhook(key)],
    ['svix', (key: string) => new SvixWebhook(key)],
  ])('%s verifies what we sign, for any JSON body', (_library, makeVerifier) => {
    const verifier = makeVerifier(secret);
    fc.assert(
      fc.property(anyJson, (text) => {
        const body = anEventBody(text);
        expect(() => verifier.verify(Buffer.from(body).toString(), headersOf(body))).not.toThrow();
      }),
    );
  });

  it.each([
    ['standardwebhooks', (key: string) => new StandardWebhook(key)],
    ['svix', (key: string) => new SvixWebhook(key)],
  ])('%s verifies with the old secret and with the new one during a rotation', (_library, makeVerifier) => {
    const body = anEventBody('{"runId":77}');
    const newest = newSecret(() => new Uint8Array(32).fill(8));
    const headers = headersOf(body, [newest, secret]);
    expect(() => makeVerifier(newest).verify(Buffer.from(body).toString(), headers)).not.toThrow();
    expect(() => makeVerifier(secret).verify(Buffer.from(body).toString(), headers)).not.toThrow();
  });

  it.each([
    ['standardwebhooks', (key: string) => new StandardWebhook(key)],
    ['svix', (key: string) => new SvixWebhook(key)],
  ])(
    '%s refuses another secret, a changed body and a replay after five minutes',
    (_library, makeVerifier) => {
      const body = anEventBody('{"runId":77}');
      const text = Buffer.from(body).toString();
      const other = makeVerifier(newSecret(() => new Uint8Array(32).fill(9)));
      expect(() => other.verify(text, headersOf(body))).toThrow();
      expect(() => makeVerifier(secret).verify(`${text} `, headersOf(body))).toThrow();
      const headers = headersOf(body);
      vi.setSystemTime(now + 301_000);
      expect(() => makeVerifier(secret).verify(text, headers)).toThrow();
    },
  );
});

function anEventBody(dataText: string): Uint8Array {
  const timestamp = '2026-11-23T10:00:00.000Z';
  return bodyOf({
    id: 'evt_01KBV5ZP00AAAAAAAAAAAAAAAA',
    type: 'pipeline.run.failed',
    timestamp,
    organizationId: 'org_1',
    resource: undefined,
    dataText,
  });
}

function headersOf(body: Uint8Array, secrets: readonly string[] = [secret]): Record<string, string> {
  const webhookId = 'evt_01KBV5ZP00AAAAAAAAAAAAAAAA';
  const timestamp = String(now / 1000);
  return {
    'webhook-id': webhookId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signHmac({ webhookId, timestamp, body }, secrets.map(keyOf)),
  };
}
