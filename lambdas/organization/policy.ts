import { z } from 'zod';
import { InvalidRequest } from '../shared/errors.ts';

const retryFields = {
  initialBackoffSeconds: z.number().min(1).max(86_400),
  multiplier: z.number().min(1).max(10),
  maximumBackoffSeconds: z.number().min(1).max(86_400),
  maximumAttempts: z.number().int().min(1).max(30),
};

const breakerFields = {
  /** Failures in a row that it takes; an answer of 429 or 503 counts half. */
  failures: z.number().int().min(1).max(1_000),
  /** And so long without a success. */
  withoutSuccessSeconds: z.number().min(0).max(3_600),
  /** The first pause; each failed probe doubles it, up to the maximum. */
  pauseSeconds: z.number().min(1).max(3_600),
  maximumPauseSeconds: z.number().min(1).max(86_400),
};

/** A retry policy as somebody writes it: what is left out comes from the level above. */
const retry = z
  .strictObject({
    initialBackoffSeconds: retryFields.initialBackoffSeconds.exactOptional(),
    multiplier: retryFields.multiplier.exactOptional(),
    maximumBackoffSeconds: retryFields.maximumBackoffSeconds.exactOptional(),
    maximumAttempts: retryFields.maximumAttempts.exactOptional(),
  })
  .meta({ id: 'RetryPolicy' });

/** When an endpoint that keeps failing is left alone for a time, and for how long. */
const circuitBreaker = z
  .strictObject({
    failures: breakerFields.failures.exactOptional(),
    withoutSuccessSeconds: breakerFields.withoutSuccessSeconds.exactOptional(),
    pauseSeconds: breakerFields.pauseSeconds.exactOptional(),
    maximumPauseSeconds: breakerFields.maximumPauseSeconds.exactOptional(),
  })
  .meta({ id: 'CircuitBreaker' });

const fields = {
  timeoutSeconds: z.number().min(1).max(30),
  disableAfterHours: z.number().min(1).max(8_760),
  rateLimitPerSecond: z.number().min(0.01).max(10_000),
};

/** How an endpoint's deliveries are tried; an organization's is the default of its endpoints. */
export const policy = z
  .strictObject({
    /** From name lookup to the end of the answer's headers. */
    timeoutSeconds: fields.timeoutSeconds.exactOptional(),
    retry: retry.exactOptional(),
    /** `null` turns it off. */
    circuitBreaker: circuitBreaker.nullable().exactOptional(),
    /** Hours of nothing but failure after which the endpoint is switched off; `null` = never. */
    disableAfterHours: fields.disableAfterHours.nullable().exactOptional(),
    /** Attempts a second at most, of all deliveries together; `null` = as many as come. */
    rateLimitPerSecond: fields.rateLimitPerSecond.nullable().exactOptional(),
  })
  .meta({ id: 'Policy' });

/** Of a field that `null` takes away (RFC 7396), so that it follows the level above again. */
function removable<S extends z.ZodType>(schema: S) {
  return z.exactOptional(z.nullable(schema));
}

/**
 * Of a field of which `null` is a value: the breaker is off, an endpoint is never switched off, there is no limit. What
 * `null` does to others, the word `default` does to it: two meanings of `null` could not be told apart.
 */
function revertible<S extends z.ZodType>(schema: S) {
  return z.exactOptional(z.nullable(z.union([schema, z.literal('default')])));
}

/** A change of a policy, as a merge patch (RFC 7396). */
export const policyChange = z
  .strictObject({
    timeoutSeconds: removable(fields.timeoutSeconds),
    retry: removable(
      z
        .strictObject({
          initialBackoffSeconds: removable(retryFields.initialBackoffSeconds),
          multiplier: removable(retryFields.multiplier),
          maximumBackoffSeconds: removable(retryFields.maximumBackoffSeconds),
          maximumAttempts: removable(retryFields.maximumAttempts),
        })
        .meta({ id: 'RetryPolicyChange' }),
    ),
    circuitBreaker: revertible(
      z
        .strictObject({
          failures: removable(breakerFields.failures),
          withoutSuccessSeconds: removable(breakerFields.withoutSuccessSeconds),
          pauseSeconds: removable(breakerFields.pauseSeconds),
          maximumPauseSeconds: removable(breakerFields.maximumPauseSeconds),
        })
        .meta({ id: 'CircuitBreakerChange' }),
    ),
    disableAfterHours: revertible(fields.disableAfterHours),
    rateLimitPerSecond: revertible(fields.rateLimitPerSecond),
  })
  .meta({ id: 'PolicyChange' });

export type PolicyChange = z.output<typeof policyChange>;
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
export function setsSchedule(change: PolicyChange | null): boolean {
  return change === null || change.retry !== undefined || change.timeoutSeconds !== undefined;
}

/** Fields of which `null` is a value. */
const nullIsValue = new Set(['circuitBreaker', 'disableAfterHours', 'rateLimitPerSecond']);

/** JSON merge patch of a policy (RFC 7396), field by field; `null` instead of a change takes all of it away. */
export function mergePolicy(before: Policy, change: PolicyChange | null): Policy {
  if (change === null) return {};
  const { retry, circuitBreaker } = change;
  const { retry: _, ...merged } = merge(before, change, nullIsValue);
  const mergedRetry = retry === null ? {} : merge(before.retry, retry ?? {});
  const isSet = typeof circuitBreaker === 'object' && circuitBreaker !== null;
  const isEmpty = Object.keys(mergedRetry).length === 0;
  return policy.parse({
    ...merged,
    // Nothing of it is set: it is not there.
    ...(isEmpty ? {} : { retry: mergedRetry }),
    // One that is turned on stays on, also when it follows the level above in everything.
    ...(isSet ? { circuitBreaker: merge(before.circuitBreaker ?? {}, circuitBreaker) } : {}),
  });
}

function merge(
  before: object | undefined,
  change: object,
  keepsNull: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...before, ...change }).filter(
      ([name, value]) =>
        value !== undefined && value !== 'default' && (value !== null || keepsNull.has(name)),
    ),
  );
}
