import { isoTime } from '../../shared/time.ts';
import { wantedNow } from './backlog.ts';
import { isAhead } from './health.ts';
import type { Health } from './health.ts';

/**
 * The rule by which an endpoint is held to its share of the workers; what it costs is how many attempts at once wait for
 * it, so that is what is looked at, and not how many of its answers are slow.
 *
 * - **It hangs** when as many attempts as its share (`shareMax`), over all functions together, have had no answer for
 *   `slowMs`, and in none of these functions has a quick answer come since they began. It is held at once, and taken to
 *   need its whole timeout until it has answered. Of one that answers a part quickly and leaves the rest hanging the mean
 *   tells, when the first have reached their timeout: held sooner, an endpoint at 500 a second of which 2 % take two
 *   seconds would be held, too, which costs twenty places and nobody anything. One attempt more or less is no sign: of a hundred quick answers one may
 *   take two seconds, and a function that waits for that one cannot tell it from the first of a thousand.
 *   One that is held to its mean hangs when as many have waited for four times as long.
 * - **It is slow** when the mean of what a function has seen is `slowMs` or more: of at least twenty answers, or, once it is
 *   held, of those since. By Little's law the mean is what its attempts cost.
 * - **It is quick again** when a function has seen it answer quickly, and nobody has seen it hang or slow for ten seconds.
 *
 * @see shareMax and pace (pace.ts) for what it is held to
 */
export function isHeld({ slow }: Pick<Health, 'slow'>, nowMs: number): boolean {
  return slow !== undefined && isAhead(slow.at, nowMs - slowForMs);
}

/** For so long it counts as slow since it was last seen to be. */
const slowForMs = 300_000;

/**
 * Notes that an attempt has had no answer for `slowMs`; one write.
 *
 * @param attemptId no other attempt's
 * @param untilMs by then it has ended, or its function has died
 * @returns how many there are now, and what takes this one away: one write more
 */
export type Hang = (
  endpointId: string,
  attemptId: string,
  untilMs: number,
) => Promise<{ readonly count: number; readonly end: () => Promise<void> }>;

/** What is known of an endpoint whose share of the workers waits for it. */
export interface Hanging {
  /** Its timeout: it is taken to need that much until it has answered, so that no more of the workers wait than its share. */
  readonly worstMs: number;
  /** Whether they have waited for `hungAfterMs`, so that the mean it is held to tells nothing any more. */
  readonly isBeyondMean?: boolean;
}

/** The health of an endpoint that hangs. */
export function observeHanging(
  before: Health,
  { worstMs, isBeyondMean = false }: Hanging,
  nowMs: number,
): Health {
  if (before.off !== undefined) return before;
  // How slow it was before it was let go tells nothing of how long it takes now.
  const knownMs = isHeld(before, nowMs) ? before.slow?.ms : undefined;
  const ms = isBeyondMean ? Math.max(worstMs, knownMs ?? 0) : (knownMs ?? worstMs);
  const isKnown = ms === knownMs && isAhead(before.slow?.at, nowMs - refreshMs);
  return isKnown ? before : { ...before, slow: { ms, at: isoTime(nowMs) } };
}

/** After how many of its means without an answer an endpoint that is held hangs, and is not merely a little slower. */
const meansUntilHung = 4;

/** Milliseconds without an answer after which an attempt of one that is held to its mean counts as hanging; nothing of others. */
export function hungAfterMs(health: Pick<Health, 'slow'>, nowMs: number): number | undefined {
  return isHeld(health, nowMs) && health.slow !== undefined ? meansUntilHung * health.slow.ms : undefined;
}

/** From here on an answer keeps a batch waiting; most take a tenth of it. */
export const slowMs = 500;
/** How often it is noted anew that an endpoint is slow. */
const refreshMs = 5_000;
/** For so long nothing slow must have been seen before an endpoint counts as quick again. */
const quickAfterMs = 10_000;
/** Who took so long did not answer at all, or hardly. */
const hungMs = 5_000;
/** A change by less is not worth a write. */
const noticeable = 1.5;

/**
 * The health after an answer.
 *
 * @param durationMs of an attempt on average (delivery/share.ts); nothing while too little is known
 */
export function timed(before: Health, durationMs: number | undefined, nowMs: number): Health {
  const { slow } = before;
  if (durationMs === undefined) return before;
  const at = isoTime(nowMs);
  if (durationMs >= slowMs) {
    const ms = Math.round(durationMs);
    const ratio = ms / (slow?.ms ?? 1);
    const isKnown = ratio < noticeable && ratio > 1 / noticeable && isAhead(slow?.at, nowMs - refreshMs);
    return isKnown ? before : { ...before, slow: { ms, at } };
  }
  if (slow === undefined || isAhead(slow.at, nowMs - quickAfterMs)) return before;
  const { slow: gone, ...quick } = before;
  // It hung: what has waited meanwhile comes back like after a pause.
  const hung = slow.ms >= hungMs && before.pause === undefined;
  return hung && before.backlog !== undefined
    ? { ...quick, backSince: at, backlog: wantedNow(before.backlog, nowMs) }
    : quick;
}
