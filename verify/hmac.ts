import { createHmac } from 'node:crypto';
import { refuseStale } from './age.ts';
import type { Clock } from './age.ts';
import { isEqual } from './equal.ts';
import { readIdentity } from './identity.ts';
import type { ReadRequest } from './request.ts';
import { VerificationError } from './verification-error.ts';

export interface HmacAttempt {
  readonly scheme: 'hmac';
  /** `webhook-id`: the same over all attempts. */
  readonly webhookId: string;
  /** `webhook-timestamp`: seconds since 1970 of this attempt. */
  readonly sentAtSeconds: number;
}

/**
 * Verifies `webhook-signature` (Standard Webhooks 1.0.0, scheme v1): HMAC-SHA256 over `id.timestamp.body`. It is
 * enough that one signature of the list fits one of the secrets; other schemes in the list are passed over.
 *
 * @throws VerificationError
 */
export function verifyHmac(request: ReadRequest, secrets: unknown, clock: Clock): HmacAttempt {
  const keys = keysOf(secrets);
  const signatures = request.header('webhook-signature').split(' ');
  const { webhookId, timestamp, sentAtSeconds } = readIdentity(request);
  refuseStale(sentAtSeconds, clock);
  const expected = keys.map(
    (key) =>
      `v1,${createHmac('sha256', key).update(`${webhookId}.${timestamp}.`).update(request.body).digest('base64')}`,
  );
  // Every pair is compared: the time tells neither which one fitted nor how many there are before it.
  const fitting = expected.flatMap((one) => signatures.filter((signature) => isEqual(signature, one)));
  if (fitting.length === 0) throw new VerificationError('signature_mismatch');
  return { scheme: 'hmac', webhookId, sentAtSeconds };
}

function keysOf(secrets: unknown): Uint8Array[] {
  const all: unknown[] = Array.isArray(secrets) ? secrets : [secrets];
  if (all.length === 0) throw new VerificationError('invalid_options', { hint: 'There is no secret.' });
  return all.map(keyOf);
}

const prefix = 'whsec_';

/** The key in a secret: `whsec_`, which may be missing, and 24 to 64 bytes in standard base64. */
function keyOf(secret: unknown): Uint8Array {
  const whole = typeof secret === 'string' ? secret : '';
  const text = whole.startsWith(prefix) ? whole.slice(prefix.length) : whole;
  const key = Buffer.from(text, 'base64');
  // Buffer skips what is not base64: only a text that comes out again the same was a secret.
  if (key.toString('base64') !== text || key.length < 24 || key.length > 64) {
    const hint = 'A secret has to be whsec_ and 24 to 64 bytes in base64, without a space or a line end.';
    throw new VerificationError('invalid_options', { hint });
  }
  return key;
}
