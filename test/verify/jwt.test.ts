import fc from 'fast-check';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { verify } from '../../verify/verify.ts';
import {
  aSigner,
  audience,
  body,
  event,
  issuer,
  jwtHeaders,
  now,
  nowMs,
  nowSeconds,
  outcomeOf,
  webhookId,
} from './a-webhook.ts';
import type { JwtChange, Signer } from './a-webhook.ts';
import { withBitChanged } from './bits.ts';

const es256 = await aSigner('ES256', 'key-es');
const rs256 = await aSigner('RS256', 'key-rs');
const foreign = await aSigner('ES256', 'key-es');
const jwks = { keys: [es256.jwk, rs256.jwk] };

/** How the verification ends of a webhook that is right but for the change. */
async function outcome(change: JwtChange = {}, options = {}, signer: Signer = es256) {
  const headers = await jwtHeaders(signer, change);
  return outcomeOf(verify({ body, headers }, { jwks, audience, issuer, now, ...options }));
}

describe.each([
  ['ES256', es256],
  ['RS256', rs256],
])('a webhook signed with %s', (_name, signer) => {
  it('gives its event and the facts of the attempt', async () => {
    const headers = await jwtHeaders(signer);
    expect(await verify({ body, headers }, { jwks, audience, issuer, now })).toEqual({
      event,
      attempt: {
        scheme: 'jwt',
        webhookId,
        sentAtSeconds: nowSeconds,
        attemptId: 'att_1',
        issuer,
        audience,
        keyId: signer.jwk.kid,
      },
    });
  });

  it.each([
    [300, 'ok'],
    [301, 'stale'],
    [-300, 'ok'],
    [-301, 'stale'],
  ])('that is %d s old: %s', async (seconds, expected) => {
    expect(await outcome({}, { now: () => nowMs + seconds * 1000 }, signer)).toBe(expected);
  });

  it('of a body of 0 bytes of data to 256 KB is verified', async () => {
    for (const length of [0, 1, 1000, 262_144]) {
      const large = Buffer.from(JSON.stringify({ ...event, data: { text: 'x'.repeat(length) } }));
      const headers = await jwtHeaders(signer, { body: large });
      expect(await outcomeOf(verify({ body: large, headers }, { jwks, audience, now }))).toBe('ok');
    }
  });
});

describe('a webhook with a token', () => {
  it.each<[string, JwtChange, string]>([
    ['for another endpoint', { claims: { aud: 'ep_two' } }, 'wrong_audience'],
    ['for a list of endpoints', { claims: { aud: [audience] } }, 'wrong_audience'],
    ['for nobody', { claims: { aud: undefined } }, 'wrong_audience'],
    ['of another deployment', { claims: { iss: 'https://other.example' } }, 'wrong_issuer'],
    ['that is expired', { claims: { exp: nowSeconds - 1 } }, 'stale'],
    ['from long ago', { claims: { iat: nowSeconds - 301, exp: nowSeconds + 300 } }, 'stale'],
    ['from the future', { claims: { iat: nowSeconds + 301 } }, 'stale'],
    ['without exp', { claims: { exp: undefined } }, 'malformed'],
    ['with a fraction in iat', { claims: { iat: nowSeconds + 0.5 } }, 'malformed'],
    ['without jti', { claims: { jti: undefined } }, 'malformed'],
    ['without a hash', { claims: { body_sha256: undefined } }, 'malformed'],
    ['of type JWT', { header: { typ: 'JWT' } }, 'wrong_type'],
    ['of no type', { header: { typ: undefined } }, 'wrong_type'],
    ['with no kid', { header: { kid: undefined } }, 'malformed'],
    ['of an unknown key', { header: { kid: 'key-other' } }, 'unknown_key'],
    ['with a kid of another kind of key', { header: { kid: 'key-rs' } }, 'algorithm_not_allowed'],
    ['for another body', { body: Buffer.from('{}') }, 'body_mismatch'],
    ['with a short hash', { claims: { body_sha256: 'AAAA' } }, 'body_mismatch'],
    ['and another webhook-id', { headers: { 'webhook-id': 'evt_other' } }, 'id_mismatch'],
    ['for another id', { claims: { webhook_id: 'evt_other' } }, 'id_mismatch'],
    ['and another time', { headers: { 'webhook-timestamp': String(nowSeconds + 1) } }, 'timestamp_mismatch'],
    [
      'and a time spelled otherwise',
      { headers: { 'webhook-timestamp': `0${nowSeconds}` } },
      'timestamp_mismatch',
    ],
    ['that is empty', { headers: { 'webhook-jwt': '' } }, 'missing_header'],
    ['that is no token', { headers: { 'webhook-jwt': 'token' } }, 'malformed'],
    ['of five parts', { headers: { 'webhook-jwt': 'a.b.c.d.e' } }, 'malformed'],
    ['that is very long', { headers: { 'webhook-jwt': 'e30.e30.'.padEnd(9000, 'A') } }, 'malformed'],
    ['and no webhook-id', { headers: { 'webhook-id': '' } }, 'missing_header'],
    ['and no webhook-timestamp', { headers: { 'webhook-timestamp': '' } }, 'missing_header'],
  ])('%s is refused', async (_what, change, expected) => {
    expect(await outcome(change)).toBe(expected);
  });

  it('signed by another organization’s key of the same kid is refused', async () => {
    expect(await outcome({}, {}, foreign)).toBe('signature_mismatch');
  });

  it('with alg none is refused, with and without a signature', async () => {
    const headers = await jwtHeaders(es256);
    const [, claims = '', signature = ''] = (headers['webhook-jwt'] ?? '').split('.');
    for (const alg of ['none', 'None', 'NONE', '', null, undefined, 7]) {
      const header = base64url({ alg, kid: 'key-es', typ: 'webhook+jwt' });
      expect(await outcome({ headers: { 'webhook-jwt': `${header}.${claims}.` } })).toBe(
        'algorithm_not_allowed',
      );
      expect(await outcome({ headers: { 'webhook-jwt': `${header}.${claims}.${signature}` } })).toBe(
        'algorithm_not_allowed',
      );
    }
  });

  it('with HS256 and the public key as its secret is refused', async () => {
    const publicKey = createPublicKey({ key: rs256.jwk, format: 'jwk' });
    const asPem = Buffer.from(publicKey.export({ format: 'pem', type: 'spki' }));
    const forger = { ...rs256, algorithm: 'HS256', privateKey: new Uint8Array(asPem) };
    expect(await outcome({}, {}, forger)).toBe('algorithm_not_allowed');
  });

  it('whose header says RS256 over an EC key, or ES256 over an RSA key, is refused', async () => {
    expect(await outcome({ header: { kid: 'key-es' } }, {}, rs256)).toBe('algorithm_not_allowed');
    expect(await outcome({ header: { kid: 'key-rs' } }, {}, es256)).toBe('algorithm_not_allowed');
  });

  it('whose signature is in DER is refused', async () => {
    const headers = await jwtHeaders(es256);
    const [header = '', claims = ''] = (headers['webhook-jwt'] ?? '').split('.');
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = sign('sha256', Buffer.from(`${header}.${claims}`), privateKey).toString('base64url');
    const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-es' }];
    const change = { headers: { 'webhook-jwt': `${header}.${claims}.${der}` } };
    expect(await outcome(change, { jwks: { keys } })).toBe('signature_mismatch');
  });

  it('with a critical extension is refused: it is not understood', async () => {
    const headers = await jwtHeaders(es256);
    const [, claims = '', signature = ''] = (headers['webhook-jwt'] ?? '').split('.');
    const header = base64url({ alg: 'ES256', kid: 'key-es', typ: 'webhook+jwt', crit: ['b64'], b64: false });
    expect(await outcome({ headers: { 'webhook-jwt': `${header}.${claims}.${signature}` } })).toBe(
      'malformed',
    );
  });

  it('with a key of its own in its header is not verified by it', async () => {
    expect(await outcome({ header: { jwk: foreign.jwk } }, {}, foreign)).toBe('signature_mismatch');
  });

  it('is given a tolerance above five minutes for its exp, too', async () => {
    expect(await outcome({}, { toleranceSeconds: 600, now: () => nowMs + 600_000 })).toBe('ok');
    expect(await outcome({}, { toleranceSeconds: 600, now: () => nowMs + 601_000 })).toBe('stale');
  });

  it('is verified for one of several endpoints', async () => {
    expect(await outcome({}, { audience: ['ep_zero', audience] })).toBe('ok');
  });
});

const { d: privateMember } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  format: 'jwk',
});
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });

describe('a published key', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['with neither use nor alg', { use: undefined, alg: undefined }, 'ok'],
    ['for verifying', { key_ops: ['verify'] }, 'ok'],
    ['for encryption', { use: 'enc' }, 'unsuitable_key'],
    ['for another operation', { key_ops: ['encrypt'] }, 'unsuitable_key'],
    ['for another algorithm', { alg: 'RS256' }, 'unsuitable_key'],
    ['on another curve', { crv: 'P-384' }, 'unsuitable_key'],
    ['of another kind', { kty: 'OKP', crv: 'Ed25519' }, 'unsuitable_key'],
    ['that is symmetric', { kty: 'oct', k: 'AAAA' }, 'unsuitable_key'],
    ['with its private half', { d: privateMember }, 'unsuitable_key'],
    ['that is no point of the curve', { x: 'A'.repeat(43) }, 'unsuitable_key'],
    ['without a coordinate', { y: undefined }, 'unsuitable_key'],
    ['under another name', { kid: 'key-other' }, 'unknown_key'],
    ['without a name', { kid: undefined }, 'unknown_key'],
  ])('%s: %s', async (_what, change, expected) => {
    expect(await outcome({}, { jwks: { keys: [{ ...es256.jwk, ...change }] } })).toBe(expected);
  });

  it('of 1024 bits of RSA verifies nothing', async () => {
    const keys = [{ ...smallRsa, kid: 'key-rs' }];
    expect(await outcome({}, { jwks: { keys } }, rs256)).toBe('unsuitable_key');
  });

  it('that stands there twice is refused, and does not harm the others', async () => {
    const keys = [es256.jwk, foreign.jwk, rs256.jwk];
    expect(await outcome({}, { jwks: { keys } })).toBe('ambiguous_key');
    expect(await outcome({}, { jwks: { keys } }, rs256)).toBe('ok');
  });

  it('that nobody understands does not harm the others', async () => {
    const keys = [null, 7, {}, { kty: 'new', kid: 'key-new' }, es256.jwk];
    expect(await outcome({}, { jwks: { keys } })).toBe('ok');
  });
});

describe('what a receiver sets up wrongly is said to be its own fault', () => {
  it.each([
    ['no audience', { audience: undefined }],
    ['an empty audience', { audience: '' }],
    ['no audience in the list', { audience: [] }],
    ['an audience that is no text', { audience: [7] }],
    ['an empty issuer', { issuer: '' }],
    ['keys that are no set', { jwks: [] }],
    ['no keys', { jwks: undefined }],
    ['a secret beside the keys', { secret: 'whsec_' }],
    ['a URL beside the keys', { jwksUrl: 'https://keys.example' }],
    ['a URL without TLS', { jwks: undefined, jwksUrl: 'http://keys.example/jwks.json' }],
    ['a URL with a password', { jwks: undefined, jwksUrl: 'https://a:b@keys.example/jwks.json' }],
    ['a URL that is none', { jwks: undefined, jwksUrl: 'keys' }],
    ['no tolerance', { toleranceSeconds: 0 }],
    ['a tolerance of an hour', { toleranceSeconds: 3600 }],
    ['a tolerance that is no number', { toleranceSeconds: Number.NaN }],
    ['a clock that stands nowhere', { now: () => Number.NaN }],
  ])('%s', async (_what, options) => {
    expect(await outcome({}, options)).toBe('invalid_options');
  });
});

describe('any single bit that changes', () => {
  test.each(['webhook-id', 'webhook-timestamp', 'webhook-jwt'])('in %s is refused', async (name) => {
    const headers = await jwtHeaders(es256);
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (bit) => {
        const changed = withBitChanged(Buffer.from(headers[name] ?? ''), bit).toString('latin1');
        const request = { body, headers: { ...headers, [name]: changed } };
        expect(await outcomeOf(verify(request, { jwks, audience, now }))).not.toBe('ok');
      }),
      { numRuns: 500 },
    );
  });

  test('in the last letter of a signature is refused, though base64 would give the same bytes', async () => {
    const headers = await jwtHeaders(es256);
    const token = headers['webhook-jwt'] ?? '';
    for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=') {
      const changed = `${token.slice(0, -1)}${letter}`;
      const expected = changed === token ? /^ok$/ : /^(malformed|signature_mismatch)$/;
      const request = { body, headers: { ...headers, 'webhook-jwt': changed } };
      expect(await outcomeOf(verify(request, { jwks, audience, now }))).toMatch(expected);
    }
  });

  test('in the body is refused', async () => {
    const headers = await jwtHeaders(es256);
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (bit) => {
        const request = { body: withBitChanged(body, bit), headers };
        expect(await outcomeOf(verify(request, { jwks, audience, now }))).toBe('body_mismatch');
      }),
    );
  });
});

test('no token, whatever it holds, brings anything but a VerificationError', async () => {
  const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map(base64urlOf));
  await fc.assert(
    fc.asyncProperty(part, part, part, async (header, claims, signature) => {
      const change = { headers: { 'webhook-jwt': `${header}.${claims}.${signature}` } };
      expect(await outcome(change)).not.toBe('ok');
    }),
  );
});

test('signed claims, whatever they hold, bring anything but a VerificationError', async () => {
  const name = fc.constantFrom('iss', 'aud', 'jti', 'iat', 'exp', 'webhook_id', 'body_sha256');
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, fc.jsonValue(), { minKeys: 1 }), async (claims) => {
      // Some of them may be right by chance; what is checked is that outcomeOf lets nothing else through.
      expect(await outcome({ claims })).toBeTypeOf('string');
    }),
  );
});

function base64url(value: unknown): string {
  return base64urlOf(JSON.stringify(value));
}

function base64urlOf(text: string): string {
  return Buffer.from(text).toString('base64url');
}
