import type { Backlog } from '../../endpoint/health/backlog.ts';
import type { Health } from '../../endpoint/health/health.ts';
import { pace } from '../../endpoint/health/pace.ts';
import type { EffectivePolicy } from '../../organization/policy.ts';

/** What the drain of an endpoint does in a step. */
export type Plan =
  | { readonly kind: 'wait'; readonly untilMs: number }
  | {
      readonly kind: 'send';
      /** Rows at most. */
      readonly countMax: number;
      /** Rows of this pass that may be on their way at the same time. */
      readonly onTheirWayMax: number;
      /** Milliseconds between two of them, and when the first is due; nothing for as fast as it goes. */
      readonly pace?: { readonly spacingMs: number; readonly fromMs: number };
    };

/** What a step sends within seconds, whatever the pace: all of its calls begin together. */
export const freeMax = 5_000;

/** Whoever takes the lease probes; one message may be an expired event's, or be lost. */
const probesMax = 3;
const manyProbesMax = 50;

/** Between two looks at whether a probe under way was answered. */
const probingMs = 5_000;

/** Time between two steps; each sends what is due until the next one. */
export const stepMs = 10_000;

/** A step that comes late makes good for so much of what it is late by. */
const lateMsMax = 60_000;

/**
 * An endpoint at the pace of its policy is sent so many ahead, by delay, up to a minute more than a step: one that comes late then
 * leaves no gap, and what it sends comes evenly. At a faster pace the next step is soon enough.
 */
const rowsAhead = 140;
const aheadMsMax = stepMs + lateMsMax;

/**
 * So much of the pace may be on its way: a minute in a late lane, and as long again for who is refused leave and comes back,
 * without slowing anything.
 */
const onTheirWayMs = 240_000;

/**
 * A little less than what leave is given for (`withinPace`), so that leave is there when a message asks for it, and few have to
 * ask again; so little that in a lane that is late at random one is waiting when leave is there.
 */
const supplyPart = 0.985;

interface Circumstances {
  readonly policy: EffectivePolicy | undefined;
  readonly nowMs: number;
  readonly wantedMs?: number;
}

/**
 * What may be sent now: nothing while the endpoint is paused; a few when the pause has ended, until a probe tells; then
 * as much as its pace allows, and no further ahead than the next step.
 *
 * @param policy nothing of an endpoint that receives nothing any more: its rows end, at no pace
 * @param wantedMs when this step should have been made
 */
export function planOf(
  health: Health,
  backlog: Backlog,
  { policy, nowMs, wantedMs = nowMs }: Circumstances,
): Plan {
  const free: Plan = { kind: 'send', countMax: freeMax, onTheirWayMax: freeMax };
  if (policy === undefined || health.off !== undefined) return free;
  if (health.pause !== undefined) {
    const { until, probing: isProbing } = health.pause;
    const untilMs = Date.parse(until);
    // The answer of a probe under way may end the pause, or another one begin, long before its lease does.
    const lookMs = isProbing === true ? Math.min(untilMs, nowMs + probingMs) : untilMs;
    return untilMs > nowMs ? { kind: 'wait', untilMs: lookMs } : probing(backlog);
  }
  const perSecond = pace(policy, health, nowMs);
  if (perSecond === undefined) return free;
  const spacingMs = 1_000 / (perSecond * supplyPart);
  const clockMs = backlog.clock === undefined ? Math.min(nowMs, wantedMs) : Date.parse(backlog.clock);
  // A ramp grows and a mean changes within a minute; what its policy allows stays.
  const isSteady = perSecond === policy.rateLimitPerSecond;
  const aheadMs = isSteady ? Math.max(stepMs, Math.min(aheadMsMax, rowsAhead * spacingMs)) : stepMs;
  // So far ahead only a slower pace has sent, and few rows: this one begins now.
  const fromMs = clockMs > nowMs + aheadMs + spacingMs ? nowMs : Math.max(nowMs - lateMsMax, clockMs);
  const countMax = Math.min(freeMax, Math.ceil((nowMs + aheadMs - fromMs) / spacingMs));
  if (countMax <= 0) return { kind: 'wait', untilMs: fromMs };
  const onTheirWayMax = Math.ceil((onTheirWayMs + aheadMs - stepMs) / spacingMs) + 10;
  return { kind: 'send', countMax, onTheirWayMax, pace: { spacingMs, fromMs } };
}

/** What has been sent and is gone without a probe was ended without an attempt: then many are sent at once. */
function probing({ through }: Backlog): Plan {
  const countMax = through === undefined ? probesMax : manyProbesMax;
  return { kind: 'send', countMax, onTheirWayMax: countMax };
}

/** The state of an endpoint's gate (delivery/gate.ts), as one text to compare: when it changes, a new pass over the rows begins. */
export function gateStateOf({ off, pause, backSince }: Health): string {
  return [off?.at, pause?.since, pause?.until, backSince].map((at) => at ?? '').join(' ');
}
