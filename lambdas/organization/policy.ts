import { z } from 'zod';
import { InvalidRequest } from '../shared/errors.ts';

/** A retry policy as somebody writes it: what is left out comes from the level above. */
const retry = z.strictObject({
  initialBackoffSeconds: z.number().min(1).max(86_400).exactOptional(),
  multiplier: z.number().min(1).max(10).exactOptional(),
  maximumBackoffSeconds: z.number().min(1).max(86_400).exactOptional(),
  maximumAttempts: z.number().int().min(1).max(30).exactOptional(),
});

/** How an endpoint's deliveries are tried; an organization's is the default of its endpoints. */
export const policy = z.strictObject({
  /** From name lookup to the end of the answer's headers. */
  timeoutSeconds: z.number().min(1).max(30).exactOptional(),
  retry: retry.exactOptional(),
});

export type Policy = z.output<typeof policy>;

export interface RetryPolicy {
  readonly initialBackoffSeconds: number;
  readonly multiplier: number;
  readonly maximumBackoffSeconds: number;
  readonly maximumAttempts: number;
}

export interface EffectivePolicy {
  readonly timeoutSeconds: number;
  readonly retry: RetryPolicy;
}

/** Ten attempts over about 35 hours (DESIGN.md, section 4). */
export const defaultPolicy: EffectivePolicy = {
  timeoutSeconds: 15,
  retry: { initialBackoffSeconds: 5, multiplier: 5, maximumBackoffSeconds: 36_000, maximumAttempts: 10 },
};

/** ±20 %, so that deliveries which failed together do not come back together. */
export const jitter = 0.2;

/** What an endpoint does not set comes from the organization's defaults, else from ours. */
export function effectivePolicy(endpoint: Policy, organization: Policy): EffectivePolicy {
  return {
    timeoutSeconds: endpoint.timeoutSeconds ?? organization.timeoutSeconds ?? defaultPolicy.timeoutSeconds,
    retry: { ...defaultPolicy.retry, ...organization.retry, ...endpoint.retry },
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
export function scheduleSeconds({ timeoutSeconds, retry }: EffectivePolicy): number {
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
export function refuseLongSchedule(effective: EffectivePolicy, retentionDays: number): void {
  if (scheduleSeconds(effective) < retentionDays * 86_400) return;
  throw new InvalidRequest(
    'schedule_too_long',
    `All attempts must fit into the ${retentionDays} days that events are kept: lower maximumAttempts, ` +
      'maximumBackoffSeconds or multiplier.',
    'policy.retry',
  );
}

/** JSON merge of a change into a policy, field by field. */
export function mergePolicy(before: Policy, change: Policy): Policy {
  const retry = { ...before.retry, ...change.retry };
  return { ...before, ...change, ...(Object.keys(retry).length === 0 ? {} : { retry }) };
}
