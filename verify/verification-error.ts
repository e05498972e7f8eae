/**
 * Why a request was refused, or could not be judged. The codes are stable; the sentences are not. Neither holds
 * anything of the request, a secret or a key, so both may be logged.
 */
const sentences = {
  missing_header: 'A header that the signature needs is missing.',
  malformed: 'A header that the signature needs is not in its format, or stands there twice.',
  body_not_raw:
    'The body has to be a string or bytes as received. It was parsed already, or never read: take the raw body, such as express.raw() gives it.',
  stale: 'The request is too old, or from the future; if it is not a replay, compare the clocks.',
  signature_mismatch:
    'No signature fits: another secret or key, or a body that is not the bytes that were sent.',
  algorithm_not_allowed: 'The algorithm is not ES256 or RS256, or not the one of the key.',
  wrong_type: 'The token is of another type than webhook+jwt.',
  wrong_audience: 'The token is meant for another endpoint.',
  wrong_issuer: 'The token was issued by another deployment.',
  unknown_key: 'The key that the token names is not published.',
  ambiguous_key: 'The key that the token names is published more than once.',
  unsuitable_key: 'The key that the token names may not verify it: its kind, size, use or alg.',
  id_mismatch: 'webhook-id is not the id in the token.',
  timestamp_mismatch: 'webhook-timestamp is not the time in the token.',
  body_mismatch: 'The body is not the one that the token was made for.',
  not_an_event: 'The signature is right, but the body is no event of Tidings.',
  keys_unavailable: 'The published keys could not be fetched.',
  invalid_options: 'verify was called with options that it cannot use.',
} as const;

export type VerificationCode = keyof typeof sentences;

/** Thrown by everything in this package, and nothing else is. */
export class VerificationError extends Error {
  public readonly code: VerificationCode;
  /**
   * What to answer: 400 when the request is at fault, 500 when the receiver is set up wrongly, 503 when the keys
   * could not be fetched. Tidings sends again after each of them.
   */
  public readonly status: 400 | 500 | 503;

  public constructor(code: VerificationCode, details: { hint?: string; cause?: unknown } = {}) {
    const { hint, cause } = details;
    super(hint ?? sentences[code], cause === undefined ? undefined : { cause });
    this.name = 'VerificationError';
    this.code = code;
    this.status = statusOf(code);
  }
}

function statusOf(code: VerificationCode): 400 | 500 | 503 {
  if (code === 'keys_unavailable') return 503;
  // A parsed body is the receiver's own middleware, not the sender.
  return code === 'invalid_options' || code === 'body_not_raw' ? 500 : 400;
}
