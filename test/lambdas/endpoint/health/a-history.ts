import { leased, well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health, Notice } from '../../../../lambdas/endpoint/health/health.ts';
import { observe } from '../../../../lambdas/endpoint/health/observe.ts';
import type { Observation } from '../../../../lambdas/endpoint/health/observe.ts';
import { defaultPolicy } from '../../../../lambdas/organization/policy.ts';
import type { EffectivePolicy } from '../../../../lambdas/organization/policy.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const breaker = {
  ...{ failures: 10, withoutSuccessSeconds: 30, pauseSeconds: 60, maximumPauseSeconds: 3_600 },
};
export const quick = { ...defaultPolicy, disableAfterHours: null };
export const noBreaker: EffectivePolicy = { ...quick, circuitBreaker: null };

export const success: Observation = { kind: 'success', isProbe: false, durationMs: 20 };
export const failure: Observation = {
  kind: 'failure',
  isThrottle: false,
  retryAfterMs: 0,
  isProbe: false,
  durationMs: 20,
};
export const throttle: Observation = { ...failure, isThrottle: true };
export const gone: Observation = { kind: 'gone', isProbe: false, durationMs: 20 };
export const ownFault: Observation = { kind: 'own_fault', isProbe: false, durationMs: 0 };
export const patience = (seconds: number): Observation => ({ ...throttle, retryAfterMs: seconds * secondMs });
export const byProbe = (observation: Observation): Observation => ({ ...observation, isProbe: true });

/** What was observed, each at its own time after the start. */
export type History = readonly (readonly [Observation, number])[];

interface Beginning {
  readonly from?: Health;
  readonly policy?: EffectivePolicy;
}

/** Observes one after another. */
export function after(seen: History, { from = well, policy = quick }: Beginning = {}): Health {
  return seen.reduce(
    (health, [observation, atMs]) => observe(health, observation, { policy, nowMs: testStartMs + atMs }),
    from,
  );
}

/** What was said meanwhile, on a bus that takes all at once. */
export function saidIn(seen: History, { from = well, policy = quick }: Beginning = {}): Notice[] {
  const said: Notice[] = [];
  let health: Health = { ...from, unsaid: [] };
  for (const one of seen) {
    health = after([one], { from: health, policy });
    said.push(...health.unsaid);
    health = { ...health, unsaid: [] };
  }
  return said;
}

/** The same observation so often, evenly over a time, with one at its beginning and one at its end. */
export function many(observation: Observation, times: number, withinMs: number): History {
  return Array.from(
    { length: times },
    (_, index) => [observation, (withinMs * index) / (times - 1)] as const,
  );
}

/** Ten failures within 30 s, so paused for a minute from then on. */
export const paused = after(many(failure, 10, 30 * secondMs));
export const pauseMs = 30 * secondMs;
export const afterPauseMs = pauseMs + minuteMs;

/** The pause is over, and somebody has taken the lease. */
export const probed = leased(paused, testStartMs + afterPauseMs);

export const kindsOf = (notices: readonly Notice[]) => notices.map(({ kind }) => kind);
export const at = (ms: number) => isoTime(testStartMs + ms);
