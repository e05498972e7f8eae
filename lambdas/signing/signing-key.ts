import { createHash } from 'node:crypto';
import { z } from 'zod';
import { shownTime } from '../shared/time.ts';

/** ES256 by a key on P-256, RS256 by RSA with 2,048 bits: a fifth of the price, and tokens half as long again. */
export const keyAlgorithm = z.enum(['ES256', 'RS256']).meta({ id: 'KeyAlgorithm' });

const ecJwk = z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });
const rsaJwk = z.strictObject({ kty: z.literal('RSA'), n: z.string(), e: z.string() });

/** The public half, as the key set shows it (RFC 7517): public members only. */
export const publicJwk = z.union([ecJwk.meta({ id: 'EcJwk' }), rsaJwk.meta({ id: 'RsaJwk' })]);

const published = { kid: z.string(), use: z.literal('sig') };

/** The same in a key set, which says what it is for, too. */
export const publishedJwk = z.union([
  ecJwk.extend({ ...published, alg: z.literal('ES256') }).meta({ id: 'PublishedEcKey' }),
  rsaJwk.extend({ ...published, alg: z.literal('RS256') }).meta({ id: 'PublishedRsaKey' }),
]);

/** A signing key of an organization; its private half never leaves KMS. */
export const signingKey = z.object({
  organizationId: z.string(),
  kid: z.string(),
  algorithm: keyAlgorithm,
  /** KMS's id of the key. */
  keyId: z.string(),
  jwk: publicJwk,
  publishedAt: shownTime,
  /** From then on it signs, until a younger one does. */
  activeFrom: shownTime,
  /** From then on it is not published any more; absent while no younger key is there. */
  retiredAt: shownTime.exactOptional(),
});

export type SigningKey = z.output<typeof signingKey>;
export type KeyAlgorithm = z.output<typeof keyAlgorithm>;
export type PublicJwk = z.output<typeof publicJwk>;

export const keyState = z.enum(['pending', 'active', 'retiring', 'retired']).meta({ id: 'KeyState' });

/**
 * The state of a key, from its times and those of the others alone: published and not yet used, in use, published for
 * what it has signed, or gone. Nothing is scheduled, so nothing can be missed.
 */
export function stateOf(
  key: SigningKey,
  all: readonly SigningKey[],
  nowMs: number,
): z.output<typeof keyState> {
  if (key.retiredAt !== undefined && Date.parse(key.retiredAt) <= nowMs) return 'retired';
  if (Date.parse(key.activeFrom) > nowMs) return 'pending';
  return activeKey(all, nowMs)?.kid === key.kid ? 'active' : 'retiring';
}

/** The key that signs at a moment: of those in use the one published last. */
export function activeKey(all: readonly SigningKey[], nowMs: number): SigningKey | undefined {
  return all
    .filter(({ activeFrom, retiredAt }) => {
      const isRetired = retiredAt !== undefined && Date.parse(retiredAt) <= nowMs;
      return Date.parse(activeFrom) <= nowMs && !isRetired;
    })
    .toSorted((a, b) => b.publishedAt.localeCompare(a.publishedAt) || b.kid.localeCompare(a.kid))
    .at(0);
}

/** The key set that receivers fetch: the next key before its first use, the last one after its last. */
export function keySetOf(all: readonly SigningKey[], nowMs: number) {
  const published = all.filter(({ retiredAt }) => retiredAt === undefined || Date.parse(retiredAt) > nowMs);
  return { keys: published.map(({ jwk, kid, algorithm }) => ({ ...jwk, kid, alg: algorithm, use: 'sig' })) };
}

/** The thumbprint of a public key (RFC 7638): SHA-256 over its required members in the order of their names. */
export function thumbprintOf(jwk: PublicJwk): string {
  const members =
    jwk.kty === 'EC'
      ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
      : { e: jwk.e, kty: jwk.kty, n: jwk.n };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}
