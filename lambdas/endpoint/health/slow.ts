import { isoTime } from '../../shared/time.ts';
import { wantedNow } from './backlog.ts';
import { isAhead } from './health.ts';
import type { Health } from './health.ts';

/**
 * The health of an endpoint that has not answered in `slowMs`.
 *
 * @param meanMs how long an attempt takes by what a function has seen of it; what has not answered is taken to need its
 * whole timeout, so that no more of the workers wait for it than its share
 */
export function observeSlow(before: Health, meanMs: number, nowMs: number): Health {
  if (before.off !== undefined || isAhead(before.slow?.at, nowMs - refreshMs)) return before;
  const ms = before.slow?.ms ?? Math.round(meanMs);
  return { ...before, slow: { ms, at: isoTime(nowMs) } };
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

/** How long it takes, by what a function has seen. @param durationMs of an attempt on average (delivery/share.ts) */
export function timed(before: Health, durationMs: number, nowMs: number): Health {
  const { slow } = before;
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
