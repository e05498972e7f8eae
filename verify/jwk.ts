import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { VerificationError } from './verification-error.ts';

/** A JSON Web Key (RFC 7517) as it was published: nothing about its members is known. */
export type Jwk = Readonly<Record<string, unknown>>;

export type Algorithm = 'ES256' | 'RS256';

/** A key and the one algorithm that it verifies: the key decides, never the token (RFC 8725, section 3.1). */
export interface VerificationKey {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/**
 * Makes a key of a JWK.
 *
 * @throws VerificationError `unsuitable_key` when it is of another kind than P-256 or RSA, too small, meant for
 * something else, or when its private half stands there too: then anybody can sign.
 */
export function importKey(jwk: Jwk): VerificationKey {
  const algorithm = algorithmOf(jwk);
  const isForThis =
    algorithm !== undefined &&
    isAbsentOr(jwk['alg'], algorithm) &&
    isAbsentOr(jwk['use'], 'sig') &&
    isForVerifying(jwk['key_ops']) &&
    !('d' in jwk);
  if (!isForThis) throw new VerificationError('unsuitable_key');
  const key = publicKeyOf(jwk);
  // NIST SP 800-131A: an RSA key below 2,048 bits verifies nothing any more.
  if (algorithm === 'RS256' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    throw new VerificationError('unsuitable_key');
  }
  return { algorithm, key };
}

/** Whether this key made this signature of a JWS (RFC 7515); JOSE writes those of ES256 as r and s, not in DER. */
export function isSignedBy(
  { algorithm, key }: VerificationKey,
  signed: string,
  signature: Uint8Array,
): boolean {
  const bytes = Buffer.from(signed, 'utf8');
  if (algorithm === 'RS256') return verify('sha256', bytes, key, signature);
  return signature.length === 64 && verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function algorithmOf({ kty, crv }: Jwk): Algorithm | undefined {
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  return kty === 'RSA' ? 'RS256' : undefined;
}

function isAbsentOr(value: unknown, only: string): boolean {
  return value === undefined || value === only;
}

function isForVerifying(operations: unknown): boolean {
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

function publicKeyOf(jwk: Jwk): KeyObject {
  const members = Object.entries(jwk).filter(
    (member): member is [string, string] => typeof member[1] === 'string',
  );
  try {
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' });
  } catch (cause) {
    throw new VerificationError('unsuitable_key', { cause });
  }
}
