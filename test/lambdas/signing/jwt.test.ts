import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { createHash, createPublicKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bodyOf } from '../../../lambdas/event/event.ts';
import { signJwt } from '../../../lambdas/signing/jwt.ts';
import type { Attestation } from '../../../lambdas/signing/jwt.ts';
import { keyAlgorithm, keySetOf } from '../../../lambdas/signing/signing-key.ts';
import type { SigningKey } from '../../../lambdas/signing/signing-key.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../../fakes/ids.ts';
import { aSigning } from './a-signing.ts';

const issuer = 'https://api.example.com';
const audience = endpointIdOf('one');
const webhookId = eventIdOf('one');
const signing = aSigning(() => testStartMs);
const keys = { ES256: signing.set(), RS256: signing.set({ algorithm: 'RS256' }) };
const set = keySetOf(Object.values(keys), testStartMs);

beforeEach(() => {
  vi.useFakeTimers({ now: testStartMs, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How receivers verify, each by the key set alone, and which claims they get. */
const libraries: Record<string, (token: string, key: SigningKey) => Promise<unknown>> = {
  jose: async (token) => {
    const rules = { issuer, audience, typ: 'webhook+jwt', requiredClaims: ['exp', 'jti'] };
    return (await jwtVerify(token, createLocalJWKSet(set), rules)).payload;
  },
  jsonwebtoken: (token, key) => {
    const rules = { issuer, audience, algorithms: [key.algorithm] };
    return Promise.resolve(jsonwebtoken.verify(token, pemOf(key), rules));
  },
  'aws-jwt-verify': (token) => {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/jwks.json` });
    verifier.cacheJwks(set);
    return Promise.resolve(verifier.verifySync(token));
  },
  'fast-jwt': (token, key) => {
    const rules = { allowedIss: issuer, allowedAud: audience, algorithms: [key.algorithm] };
    return Promise.resolve(createVerifier({ key: pemOf(key), ...rules })(token));
  },
};

const cases = Object.keys(libraries).flatMap((library) =>
  keyAlgorithm.options.map((algorithm) => [library, algorithm] as const),
);

describe('a token', () => {
  it.each(cases)('is verified by %s with %s, whatever the length of the body', async (library, algorithm) => {
    const verifyBy = verifierOf(library);
    for (const bytes of [0, 1, 77, 1_000, 65_536, 262_144]) {
      const body = aBody(bytes);
      const claims = await verifyBy(await tokenOf(algorithm, { body }), keys[algorithm]);
      expect(claims).toMatchObject({ webhook_id: webhookId, body_sha256: digestOf(body) });
    }
  });

  it.each(cases)('is refused by %s with %s once anything has changed', async (library, algorithm) => {
    const verifyBy = verifierOf(library);
    const token = await tokenOf(algorithm);
    const [header, , signature] = token.split('.');
    const [, otherClaims] = (await tokenOf(algorithm, { attemptId: 'another' })).split('.');
    const bent = [
      await tokenOf(algorithm, { issuer: 'https://evil.example.com' }),
      await tokenOf(algorithm, { audience: endpointIdOf('two') }),
      await tokenOf(algorithm, { timestamp: String(testStartMs / 1000 - 301) }),
      [header, otherClaims, signature].join('.'),
      [header, otherClaims, ''].join('.'),
    ];
    for (const wrong of bent) {
      await expect(Promise.resolve().then(() => verifyBy(wrong, keys[algorithm]))).rejects.toThrow();
    }
  });

  it('says by whom, to whom, which attempt, which event, which body, and until when', async () => {
    const token = await tokenOf('ES256');
    const { kid } = keys.ES256;
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid, typ: 'webhook+jwt' });
    const iat = testStartMs / 1000;
    expect(await verifierOf('jose')(token, keys.ES256)).toEqual({
      iss: issuer,
      aud: audience,
      jti: 'attempt-1',
      iat,
      exp: iat + 300,
      webhook_id: webhookId,
      body_sha256: digestOf(aBody(77)),
    });
  });

  it('is base64url without padding, in three parts, and no longer for a longer body', async () => {
    const lengths = await Promise.all(
      [0, 262_144].map(async (bytes) => (await tokenOf('ES256', { body: aBody(bytes) })).length),
    );
    expect(await tokenOf('ES256')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}$/);
    expect(new Set(lengths).size).toBe(1);
  });

  it.each(keyAlgorithm.options)(
    'of %s costs one call of KMS, for the digest of what it signs',
    async (algorithm) => {
      const asked: [string, string][] = [];
      const token = await signJwt(
        (key, digest) => {
          asked.push([key.keyId, Buffer.from(digest).toString('base64url')]);
          return signing.signDigest(key, digest);
        },
        keys[algorithm],
        anAttestation(),
      );
      const input = token.slice(0, token.lastIndexOf('.'));
      expect(asked).toEqual([[keys[algorithm].keyId, digestOf(Buffer.from(input))]]);
    },
  );

  it('is not made when KMS cannot sign', async () => {
    const signDigest = () => Promise.reject(new Error('KMS is away'));
    await expect(signJwt(signDigest, keys.ES256, anAttestation())).rejects.toThrow('KMS is away');
  });
});

function verifierOf(library: string): (token: string, key: SigningKey) => Promise<unknown> {
  const verifyBy = libraries[library];
  if (verifyBy === undefined) throw new Error(`there is no library ${library}`);
  return verifyBy;
}

function tokenOf(algorithm: SigningKey['algorithm'], given: Partial<Attestation> = {}): Promise<string> {
  return signJwt(signing.signDigest, keys[algorithm], anAttestation(given));
}

function anAttestation(given: Partial<Attestation> = {}): Attestation {
  const timestamp = String(testStartMs / 1000);
  return { issuer, audience, attemptId: 'attempt-1', webhookId, timestamp, body: aBody(77), ...given };
}

/** The body of an event whose data holds a text of so many bytes; with none, nothing at all. */
function aBody(bytes: number): Uint8Array {
  if (bytes === 0) return new Uint8Array();
  const ids = { id: webhookId, organizationId: 'org_1', timestamp: '2026-11-23T10:00:00.000Z' };
  return bodyOf({
    ...ids,
    type: 'a.b',
    resource: undefined,
    dataText: JSON.stringify({ text: 'a'.repeat(bytes) }),
  });
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

/** As a receiver keeps a public key that it took from the key set. */
function pemOf({ jwk }: SigningKey): string {
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' }).toString();
}
