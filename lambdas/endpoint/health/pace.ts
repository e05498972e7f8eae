import type { EffectivePolicy } from '../../organization/policy.ts';
import type { Health } from './health.ts';
import { isHeld } from './slow.ts';

/** Attempts a second that an endpoint gets when it has come back, and how long until it gets twice as many. */
const firstPerSecond = 10;
const doublingMs = 30_000;
/** By then it is ten thousand a second, and no pace any more. */
const rampMs = 300_000;

/**
 * Attempts that an endpoint which takes long may hold at once, over all functions: a tenth of the batches that a lane
 * works on at a time (lib/delivery.ts), so that ten such endpoints together do not fill it.
 */
export const shareMax = 10;

/**
 * How many attempts a second an endpoint gets: what its policy allows; after a pause a pace that doubles every half
 * minute, so that what has waited does not fell it again; and, when it takes long to answer, as many as keep its share
 * of the workers busy (Little's law: at once = a second × seconds that each takes).
 *
 * @returns `undefined` for as many as come, which takes no write.
 */
export function pace(
  { rateLimitPerSecond }: Pick<EffectivePolicy, 'rateLimitPerSecond'>,
  { backSince, slow }: Pick<Health, 'backSince' | 'slow'>,
  nowMs: number,
): number | undefined {
  const backMs = backSince === undefined ? Infinity : nowMs - Date.parse(backSince);
  const ramped =
    backMs < rampMs ? firstPerSecond * 2 ** Math.floor(Math.max(0, backMs) / doublingMs) : Infinity;
  const shared = slow !== undefined && isHeld({ slow }, nowMs) ? (shareMax * 1_000) / slow.ms : Infinity;
  const perSecond = Math.min(rateLimitPerSecond ?? Infinity, ramped, shared);
  return Number.isFinite(perSecond) ? perSecond : undefined;
}

/**
 * Takes leave for one attempt at an endpoint that is held to a pace; false when there is none at this moment. Nothing
 * is handed out ahead: who is refused waits as a row (delivery/park.ts).
 */
export type Take = (endpointId: string, perSecond: number) => Promise<boolean>;

/**
 * For how long leave that was not taken is not lost, as messages come a little early and a little late: two seconds, or
 * the time between two attempts if that is more. A message of a slow pace that comes late would else lose its leave each
 * time.
 */
export function burstOf(spacingMs: number): number {
  return Math.min(burstMsMax, Math.max(burstMs, spacingMs));
}

export const burstMs = 2_000;
/** With the second by which functions disagree (pace/store.ts) no more than `withinPace` leaves of ten minutes. */
const burstMsMax = 5_000;

/** So that the burst is within the pace over any ten minutes, too. */
export const withinPace = 0.99;
