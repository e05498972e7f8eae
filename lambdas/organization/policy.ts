import { z } from 'zod';
import { InvalidRequest } from '../shared/errors.ts';

/** A retry policy as somebody writes it: what is left out comes from the level above. */
const retry = z.strictObject({
  initialBackoffSeconds: z.number().min(1).max(86_400).exactOptional(),
  multiplier: z.number().min(1).max(10).exactOptional(),
  maximumBackoffSeconds: z.number().min(1).max(86_400).exactOptional(),
  maximumAttempts: z.number().int().min(1).max(30).exactOptional(),
});

/** When an endpoint that keeps failing is left alone for a time, and for how long. */
const circuitBreaker = z.strictObject({
  /** Failures in a row that it takes; an answer of 429 or 503 counts half. */
  failures: z.number().int().min(1).max(1_000).exactOptional(),
  /** And so long without a success. */
  withoutSuccessSeconds: z.number().min(0).max(3_600).exactOptional(),
  /** The first pause; each failed probe doubles it, up to the maximum. */
  pauseSeconds: z.number().min(1).max(3_600).exactOptional(),
  maximumPauseSeconds: z.number().min(1).max(86_400).exactOptional(),
});

/** How an endpoint's deliveries are tried; an organization's is the default of its endpoints. */
export const policy = z.strictObject({
  /** From name lookup to the end of the answer's headers. */
  timeoutSeconds: z.number().min(1).max(30).exactOptional(),
  retry: retry.exactOptional(),
  /** `null` turns it off. */
  circuitBreaker: circuitBreaker.nullable().exactOptional(),
  /** Hours of nothing but failure after which the endpoint is switched off; `null` = never. */
  disableAfterHours: z.number().min(1).max(8_760).nullable().exactOptional(),
  /** Attempts a second at most, of all deliveries together; `null` = as many as come. */
  rateLimitPerSecond: z.number().min(0.01).max(10_000).nullable().exactOptional(),
});

export type Policy = z.output<typeof policy>;

export interface CircuitBreaker {
  readonly failures: number;
  readonly withoutSuccessSeconds: number;
  readonly pauseSeconds: number;
  readonly maximumPauseSeconds: number;
}

export interface RetryPolicy {
  readonly initialBackoffSeconds: number;
  readonly multiplier: number;
  readonly maximumBackoffSeconds: number;
  readonly maximumAttempts: number;
}

export interface EffectivePolicy {
  readonly timeoutSeconds: number;
  readonly retry: RetryPolicy;
  readonly circuitBreaker: CircuitBreaker | null;
  readonly disableAfterHours: number | null;
  readonly rateLimitPerSecond: number | null;
}

const defaultBreaker: CircuitBreaker = {
  failures: 10,
  withoutSuccessSeconds: 30,
  pauseSeconds: 60,
  maximumPauseSeconds: 3_600,
};

/** Ten attempts over about 35 hours. */
export const defaultPolicy: EffectivePolicy = {
  timeoutSeconds: 15,
  retry: { initialBackoffSeconds: 5, multiplier: 5, maximumBackoffSeconds: 36_000, maximumAttempts: 10 },
  circuitBreaker: defaultBreaker,
  disableAfterHours: 120,
  rateLimitPerSecond: null,
};

/** ±20 %, so that deliveries which failed together do not come back together. */
export const jitter = 0.2;

/** What an endpoint does not set comes from the organization's defaults, else from ours. */
export function effectivePolicy(endpoint: Policy, organization: Policy): EffectivePolicy {
  const said = { ...defaultPolicy, ...organization, ...endpoint };
  return {
    ...said,
    retry: { ...defaultPolicy.retry, ...organization.retry, ...endpoint.retry },
    circuitBreaker:
      said.circuitBreaker === null
        ? null
        : { ...defaultBreaker, ...organization.circuitBreaker, ...endpoint.circuitBreaker },
  };
}

/**
 * Seconds between an attempt and the next one, without jitter.
 *
 * @param attempt number of the attempt that failed, from 1
 */
export function backoffSeconds(retryPolicy: RetryPolicy, attempt: number): number {
  const { initialBackoffSeconds, multiplier, maximumBackoffSeconds } = retryPolicy;
  return Math.min(maximumBackoffSeconds, initialBackoffSeconds * multiplier ** (attempt - 1));
}

/** Seconds from the first attempt to the last at most: every wait jittered upwards, every attempt timing out. */
export function scheduleSeconds({
  timeoutSeconds,
  retry,
}: Pick<EffectivePolicy, 'timeoutSeconds' | 'retry'>): number {
  let waits = 0;
  for (let attempt = 1; attempt < retry.maximumAttempts; attempt += 1)
    waits += backoffSeconds(retry, attempt);
  return waits * (1 + jitter) + retry.maximumAttempts * timeoutSeconds;
}

/**
 * Refuses a policy whose last attempt would come after its event is gone: it would end as expired.
 *
 * @throws InvalidRequest `schedule_too_long`
 */
export function refuseLongSchedule(
  effective: Parameters<typeof scheduleSeconds>[0],
  retentionDays: number,
): void {
  const seconds = scheduleSeconds(effective);
  if (seconds >= retentionDays * 86_400) throw tooLong('All attempts', seconds, retentionDays);
}

/** What an endpoint sets itself. */
export interface OwnPolicy {
  readonly endpointId: string;
  readonly policy: Policy;
}

/** Ids of endpoints that a refusal names: enough to begin with. */
const namedMax = 3;

/**
 * Refuses defaults that are too long by themselves, or together with what an endpoint sets. An endpoint that is changed
 * at the same moment is judged with the defaults of before: then its deliveries may end as expired.
 *
 * @throws InvalidRequest `schedule_too_long`, with the ids of a few of the endpoints
 */
export function refuseLongDefaults(defaults: Policy, own: readonly OwnPolicy[], retentionDays: number): void {
  refuseLongSchedule(effectivePolicy({}, defaults), retentionDays);
  const long = own
    .map(({ endpointId, policy }) => ({
      endpointId,
      seconds: scheduleSeconds(effectivePolicy(policy, defaults)),
    }))
    .filter(({ seconds }) => seconds >= retentionDays * 86_400);
  if (long.length === 0) return;
  const named = long.slice(0, namedMax).map(({ endpointId }) => endpointId);
  const others = long.length > named.length ? ` and ${long.length - named.length} more` : '';
  const most = Math.max(...long.map(({ seconds }) => seconds));
  throw tooLong(`Together with the policy of ${named.join(', ')}${others} all attempts`, most, retentionDays);
}

function tooLong(what: string, seconds: number, retentionDays: number): InvalidRequest {
  const days = Math.ceil((seconds / 86_400) * 10) / 10;
  return new InvalidRequest(
    'schedule_too_long',
    `${what} would take ${days} days, and events are kept for ${retentionDays} days: lower maximumAttempts, ` +
      'maximumBackoffSeconds or multiplier.',
    'policy.retry',
  );
}

/** Whether a change sets what a schedule is made of: one that does not is not refused for what was there before. */
export function setsSchedule({ retry, timeoutSeconds }: Policy): boolean {
  return retry !== undefined || timeoutSeconds !== undefined;
}

/** JSON merge of a change into a policy, field by field. */
export function mergePolicy(before: Policy, change: Policy): Policy {
  const retry = { ...before.retry, ...change.retry };
  const isSwitched = change.circuitBreaker === null || change.circuitBreaker === undefined;
  const circuitBreaker = isSwitched
    ? {}
    : { circuitBreaker: { ...before.circuitBreaker, ...change.circuitBreaker } };
  return { ...before, ...change, ...(Object.keys(retry).length === 0 ? {} : { retry }), ...circuitBreaker };
}
