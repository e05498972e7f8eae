import { createHash } from 'node:crypto';
import type { KeyAlgorithm, SigningKey } from './signing-key.ts';

/** Signs the SHA-256 of a token's signing input with a key in KMS; gives the signature as JOSE writes it. */
export type SignDigest = (
  key: { keyId: string; algorithm: KeyAlgorithm },
  digest: Uint8Array,
) => Promise<Uint8Array>;

export interface Attestation {
  readonly issuer: string;
  /** The endpoint's id: a token for one endpoint is worth nothing at another. */
  readonly audience: string;
  readonly attemptId: string;
  readonly webhookId: string;
  /** `webhook-timestamp`: seconds since 1970 of this attempt, in decimal. */
  readonly timestamp: string;
  readonly body: Uint8Array;
}

/** Five minutes: what a receiver refuses as a replay is worthless by its own claim, too. */
const lifetimeSeconds = 300;

/**
 * Value of `webhook-jwt` (docs/signing.md). It carries the hash of the body and not the
 * body, so that KMS signs 300 bytes whatever the event's size. One call of KMS for each token.
 *
 * @throws when KMS cannot sign; nothing goes out unsigned.
 */
export async function signJwt(
  signDigest: SignDigest,
  key: Pick<SigningKey, 'keyId' | 'kid' | 'algorithm'>,
  attestation: Attestation,
): Promise<string> {
  const issuedAt = Number(attestation.timestamp);
  const header = { alg: key.algorithm, kid: key.kid, typ: 'webhook+jwt' };
  const claims = {
    iss: attestation.issuer,
    aud: attestation.audience,
    jti: attestation.attemptId,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    webhook_id: attestation.webhookId,
    body_sha256: createHash('sha256').update(attestation.body).digest('base64url'),
  };
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = await signDigest(key, createHash('sha256').update(input).digest());
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
