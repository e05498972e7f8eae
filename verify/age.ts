import { VerificationError } from './verification-error.ts';

export interface ClockOptions {
  /** How far `webhook-timestamp` may be from now, both ways: 1 to 900 seconds. Default: 300. */
  readonly toleranceSeconds?: number;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

export interface Clock {
  readonly nowMs: number;
  readonly nowSeconds: number;
  readonly toleranceSeconds: number;
}

/** Standard Webhooks 1.0.0: every reference library takes five minutes, and Tidings' tokens expire after them. */
export const usualToleranceSeconds = 300;

/** Whoever needs more has a clock to mend; every second more is one in which a recorded request can be replayed. */
const toleranceSecondsMax = 900;

/** @throws VerificationError `invalid_options`. */
export function readClock({ toleranceSeconds = usualToleranceSeconds, now = Date.now }: ClockOptions): Clock {
  if (!Number.isInteger(toleranceSeconds) || toleranceSeconds < 1 || toleranceSeconds > toleranceSecondsMax) {
    const hint = `toleranceSeconds has to be a whole number from 1 to ${toleranceSecondsMax}.`;
    throw new VerificationError('invalid_options', { hint });
  }
  const nowMs = typeof now === 'function' ? now() : Number.NaN;
  if (!Number.isFinite(nowMs)) {
    throw new VerificationError('invalid_options', { hint: 'now has to give milliseconds since 1970.' });
  }
  return { nowMs, nowSeconds: Math.floor(nowMs / 1000), toleranceSeconds };
}

/**
 * Refuses what is too old or too far ahead: 300 s pass, 301 s do not.
 *
 * @throws VerificationError `stale`.
 */
export function refuseStale(sentAtSeconds: number, { nowSeconds, toleranceSeconds }: Clock): void {
  if (Math.abs(nowSeconds - sentAtSeconds) > toleranceSeconds) throw new VerificationError('stale');
}
