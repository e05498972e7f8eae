import { createHash } from 'node:crypto';
import { refuseStale, usualToleranceSeconds } from './age.ts';
import type { Clock } from './age.ts';
import { isEqual } from './equal.ts';
import { readIdentity } from './identity.ts';
import { isSignedBy } from './jwk.ts';
import type { VerificationKey } from './jwk.ts';
import type { ReadRequest } from './request.ts';
import { readToken } from './token.ts';
import type { Claims } from './token.ts';
import { VerificationError } from './verification-error.ts';

export interface JwtAttempt {
  readonly scheme: 'jwt';
  /** `webhook-id`: the same over all attempts. */
  readonly webhookId: string;
  /** `webhook-timestamp`: seconds since 1970 of this attempt. */
  readonly sentAtSeconds: number;
  readonly attemptId: string;
  /** The deployment that sent it. */
  readonly issuer: string;
  /** The endpoint that it was sent to. */
  readonly audience: string;
  readonly keyId: string;
}

export interface Expected {
  readonly audiences: readonly string[];
  readonly issuer: string | undefined;
  readonly clock: Clock;
  /** Finds a published key. */
  readonly findKey: (kid: string) => VerificationKey | Promise<VerificationKey>;
}

/**
 * Verifies `webhook-jwt`: a JWT (RFC 7519, by the advice of RFC 8725) that names the endpoint, the time, the event
 * and the hash of the body. Nothing of the claims is looked at before the signature is right.
 *
 * @throws VerificationError
 */
export async function verifyJwt(request: ReadRequest, expected: Expected): Promise<JwtAttempt> {
  const token = readToken(request.header('webhook-jwt'));
  const identity = readIdentity(request);
  const key = await expected.findKey(token.kid);
  if (key.algorithm !== token.algorithm) throw new VerificationError('algorithm_not_allowed');
  if (!isSignedBy(key, token.signed, token.signature)) throw new VerificationError('signature_mismatch');

  const claims = token.readClaims();
  refuseForeign(claims, expected);
  refuseExpired(claims, expected.clock);
  if (!isEqual(identity.webhookId, claims.webhook_id)) throw new VerificationError('id_mismatch');
  if (!isEqual(identity.timestamp, String(claims.iat))) throw new VerificationError('timestamp_mismatch');
  const bodySha256 = createHash('sha256').update(request.body).digest('base64url');
  if (!isEqual(claims.body_sha256, bodySha256)) throw new VerificationError('body_mismatch');
  return {
    scheme: 'jwt',
    webhookId: identity.webhookId,
    sentAtSeconds: claims.iat,
    attemptId: claims.jti,
    issuer: claims.iss,
    audience: claims.aud,
    keyId: token.kid,
  };
}

function refuseForeign({ aud, iss }: Claims, { audiences, issuer }: Expected): void {
  if (!audiences.includes(aud)) throw new VerificationError('wrong_audience');
  if (issuer !== undefined && issuer !== iss) throw new VerificationError('wrong_issuer');
}

/** A tolerance above the usual one is for a clock that is wrong by that much, so `exp` is given it too. */
function refuseExpired({ iat, exp }: Claims, clock: Clock): void {
  refuseStale(iat, clock);
  const leewaySeconds = Math.max(0, clock.toleranceSeconds - usualToleranceSeconds);
  if (clock.nowSeconds > exp + leewaySeconds) throw new VerificationError('stale');
}
