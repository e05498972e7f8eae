import type { EffectivePolicy } from '../../organization/policy.ts';
import type { Health } from './health.ts';

/** Attempts a second that an endpoint gets when it has come back, and how long until it gets twice as many. */
const firstPerSecond = 10;
const doublingMs = 30_000;
/** By then it is ten thousand a second, and no pace any more. */
const rampMs = 300_000;

/**
 * How many attempts a second an endpoint gets: what its policy allows, and, after a pause, a pace that doubles every
 * half minute, so that what has waited does not fell it again (failures.md, 26).
 *
 * @returns `undefined` for as many as come, which takes no reservation.
 */
export function pace(
  { rateLimitPerSecond }: Pick<EffectivePolicy, 'rateLimitPerSecond'>,
  { backSince }: Health,
  nowMs: number,
): number | undefined {
  const backMs = backSince === undefined ? Infinity : nowMs - Date.parse(backSince);
  const ramp = backMs < rampMs ? firstPerSecond * 2 ** (Math.max(0, backMs) / doublingMs) : Infinity;
  const perSecond = Math.min(rateLimitPerSecond ?? Infinity, ramp);
  return Number.isFinite(perSecond) ? perSecond : undefined;
}

/** Takes a slot in an endpoint's line; `undefined` when the line is full. */
export type Reserve = (endpointId: string, perSecond: number) => Promise<number | undefined>;

/** How much earlier than its slot an attempt may go: so much of a burst is no burst. */
export const burstMs = 1_000;

/** A slot that is missed by more is lost: all that was held up for minutes would come at once. */
export const slotMs = 3_000;

/** Slots are given away so far ahead; who finds none comes back later. It is one hop (message.ts). */
export const lineMs = 900_000;
