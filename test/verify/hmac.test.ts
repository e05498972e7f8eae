import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, test } from 'vitest';
import { verify, verifySignature } from '../../verify/verify.ts';
import {
  body,
  event,
  hmacHeaders,
  now,
  nowMs,
  nowSeconds,
  outcomeOf,
  secret,
  secretOf,
  webhookId,
} from './a-webhook.ts';
import { withBitChanged } from './bits.ts';

const headers = hmacHeaders();
const { 'webhook-signature': signature } = headers;

function outcome(change: Record<string, string | undefined>, options = {}) {
  return outcomeOf(verify({ body, headers: { ...headers, ...change } }, { secret, now, ...options }));
}

describe('a webhook signed with a shared secret', () => {
  it('gives its event and the facts of the attempt', async () => {
    expect(await verify({ body, headers }, { secret, now })).toEqual({
      event,
      attempt: { scheme: 'hmac', webhookId, sentAtSeconds: nowSeconds },
    });
  });

  it.each(['Uint8Array', 'string'])('is verified with its body as %s', async (kind) => {
    const given = kind === 'string' ? body.toString() : new Uint8Array(body);
    expect(await outcomeOf(verify({ body: given, headers }, { secret, now }))).toBe('ok');
  });

  it('is verified by a secret without the prefix', async () => {
    expect(await outcome({}, { secret: secret.replace('whsec_', '') })).toBe('ok');
  });

  it('is verified during a rotation, whichever of old and new the two sides know', async () => {
    const [old, newest, foreign] = [secretOf(1), secretOf(2), secretOf(3)];
    const both = hmacHeaders({ secrets: [newest, old] });
    expect(await outcome(both, { secret: old })).toBe('ok');
    expect(await outcome(both, { secret: newest })).toBe('ok');
    expect(await outcome(hmacHeaders({ secrets: [old] }), { secret: [newest, old] })).toBe('ok');
    expect(await outcome(both, { secret: [foreign] })).toBe('signature_mismatch');
  });

  it('is verified when a stock library signed it', async () => {
    const stock = new Webhook(secret).sign(webhookId, new Date(nowMs), body.toString());
    expect(await outcome({ 'webhook-signature': stock })).toBe('ok');
  });

  it.each([
    [0, 'ok'],
    [300, 'ok'],
    [301, 'stale'],
    [-300, 'ok'],
    [-301, 'stale'],
  ])('that is %d s old: %s', async (seconds, expected) => {
    expect(await outcome({}, { now: () => nowMs + seconds * 1000 })).toBe(expected);
  });

  it.each([
    [60, 60, 'ok'],
    [60, 61, 'stale'],
    [900, 900, 'ok'],
    [900, 901, 'stale'],
  ])('with a tolerance of %d s and an age of %d s: %s', async (toleranceSeconds, seconds, expected) => {
    expect(await outcome({}, { toleranceSeconds, now: () => nowMs + seconds * 1000 })).toBe(expected);
  });

  it.each([
    ['another secret', hmacHeaders({ secrets: [secretOf(9)] }), 'signature_mismatch'],
    ['another body', hmacHeaders({ body: Buffer.from('{}') }), 'signature_mismatch'],
    ['another id', { 'webhook-id': 'evt_other' }, 'signature_mismatch'],
    ['another time', { 'webhook-timestamp': String(nowSeconds + 1) }, 'signature_mismatch'],
    ['a time spelled otherwise', { 'webhook-timestamp': `0${nowSeconds}` }, 'signature_mismatch'],
    ['a time that is none', { 'webhook-timestamp': 'soon' }, 'malformed'],
    ['a time with a fraction', { 'webhook-timestamp': `${nowSeconds}.5` }, 'malformed'],
    ['a dot in the id', { 'webhook-id': 'evt.1' }, 'malformed'],
    ['an empty signature', { 'webhook-signature': '' }, 'missing_header'],
    ['a short signature', { 'webhook-signature': 'v1,AAAA' }, 'signature_mismatch'],
    ['a long signature', { 'webhook-signature': `${signature}A` }, 'signature_mismatch'],
    ['no version', { 'webhook-signature': signature.slice(3) }, 'signature_mismatch'],
    ['version v1a', { 'webhook-signature': signature.replace('v1', 'v1a') }, 'signature_mismatch'],
    [
      'signatures joined by a comma',
      { 'webhook-signature': `${signature},${signature}` },
      'signature_mismatch',
    ],
    ['letters beyond ASCII', { 'webhook-signature': `v1,${'ü'.repeat(44)}` }, 'signature_mismatch'],
    ['no id', { 'webhook-id': undefined }, 'missing_header'],
    ['no time', { 'webhook-timestamp': undefined }, 'missing_header'],
    ['no signature', { 'webhook-signature': undefined }, 'missing_header'],
  ])('with %s is refused', async (_what, change, expected) => {
    expect(await outcome(change)).toBe(expected);
  });

  it.each([
    ['two spaces', `v1,${'A'.repeat(43)}=  ${signature}`],
    ['a space at the end', `${signature} `],
    ['unknown schemes before it', `v1a,AAAA v2,BBBB ${signature}`],
  ])('with %s in the list is verified', async (_what, list) => {
    expect(await outcome({ 'webhook-signature': list })).toBe('ok');
  });

  it('with a JWT in place of its signature is refused: the receiver chose the scheme', async () => {
    expect(await outcome({ 'webhook-signature': undefined, 'webhook-jwt': 'a.b.c' })).toBe('missing_header');
  });

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body])],
    ['nothing', Buffer.alloc(0)],
    ['JSON that is no event', Buffer.from('[1]')],
    ['an event without data', Buffer.from(JSON.stringify({ ...event, data: undefined }))],
    ['an event with a resource that is no text', Buffer.from(JSON.stringify({ ...event, resource: 1 }))],
  ])('whose body is %s has a right signature, and is no event', async (_what, odd) => {
    const request = { body: odd, headers: hmacHeaders({ body: odd }) };
    expect(await outcomeOf(verify(request, { secret, now }))).toBe('not_an_event');
    expect((await verifySignature(request, { secret, now })).body).toEqual(odd);
  });
});

describe('any single bit that changes', () => {
  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const)(
    'in %s is refused',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (bit) => {
          const changed = withBitChanged(Buffer.from(headers[name]), bit).toString('latin1');
          expect(await outcome({ [name]: changed })).not.toBe('ok');
        }),
        { numRuns: 400 },
      );
    },
  );

  test('in the body is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1 }), fc.nat(), async (sent, bit) => {
        const request = { body: withBitChanged(sent, bit), headers: hmacHeaders({ body: sent }) };
        expect(await outcomeOf(verifySignature(request, { secret, now }))).toBe('signature_mismatch');
      }),
    );
  });
});

test('no header, whatever it holds, brings anything but a VerificationError', async () => {
  const any = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant(signature));
  await fc.assert(
    fc.asyncProperty(any, any, any, async (id, time, signatures) => {
      const change = { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures };
      expect(await outcome(change)).not.toBe('ok');
    }),
  );
});

test.each([
  ['too short', Buffer.alloc(23).toString('base64')],
  ['too long', Buffer.alloc(65).toString('base64')],
  ['not base64', 'whsec_not base64 at all, but long enough!'],
  ['with a line end', `${secret}\n`],
  ['no text', 7],
  ['an empty list', []],
  ['a list with an empty one', [secret, '']],
])('a secret that is %s is the receiver’s fault, and is not quoted', async (_what, bad) => {
  const verification = verify({ body, headers }, { secret: bad as string });
  await expect(verification).rejects.toMatchObject({ code: 'invalid_options', status: 500 });
  const message: unknown = await verification.catch((fault: unknown) => String(fault));
  expect(message).not.toContain(String(Array.isArray(bad) ? secret : bad));
});
