import { backoffSeconds, jitter } from '../organization/policy.ts';
import type { RetryPolicy } from '../organization/policy.ts';
import type { Answer } from '../request/answer.ts';
import { failureOfStatus, isSuccess } from '../request/failure.ts';
import type { FailureCode } from '../request/failure.ts';
import { retryAfterMs } from './retry-after.ts';

/** What an attempt means for its delivery. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly statusCode: number }
  | {
      readonly kind: 'retry';
      readonly code: FailureCode;
      readonly statusCode: number | undefined;
      /** Milliseconds until the next attempt. */
      readonly waitMs: number;
    }
  | { readonly kind: 'dead'; readonly code: FailureCode; readonly statusCode: number | undefined };

export interface Budget {
  readonly policy: RetryPolicy;
  /** Attempts of this round, this one included. */
  readonly attemptOfRound: number;
  /** Between 0 and 1. */
  readonly chance: number;
  readonly nowMs: number;
  /** When the event is gone: an attempt after that would find nothing to send. */
  readonly lastMs?: number;
  /** False when the answer came from an address that the endpoint has left: then nothing final follows from it. */
  readonly isFinal?: boolean;
}

/**
 * Judges an answer. 2xx is the only success; 410 is final; everything else is tried again
 * while the budget lasts. 429 and 503 may ask for a longer wait than the schedule's, never for a shorter one.
 */
export function classify(answer: Answer, budget: Budget): Outcome {
  const statusCode = answer.kind === 'response' ? answer.status : undefined;
  if (statusCode !== undefined && isSuccess(statusCode)) return { kind: 'delivered', statusCode };
  const code = answer.kind === 'response' ? failureOfStatus(answer.status) : answer.code;
  const { lastMs = Infinity, isFinal = true } = budget;
  const isGone = statusCode === 410 && isFinal;
  if (isGone || budget.attemptOfRound >= budget.policy.maximumAttempts) {
    return { kind: 'dead', code, statusCode };
  }
  const hintMs =
    answer.kind === 'response' && isThrottle(answer.status) ? retryAfterMs(answer.retryAfter, budget) : 0;
  const waitMs = Math.max(scheduledWaitMs(budget), hintMs);
  return budget.nowMs + waitMs >= lastMs
    ? { kind: 'dead', code, statusCode }
    : { kind: 'retry', code, statusCode, waitMs };
}

/** What an answer tells of its endpoint: whether it lives, and whether it asks for patience. */
export function observationOf(answer: Answer, nowMs: number) {
  if (answer.kind !== 'response') return { kind: 'failure' as const, isThrottle: false, retryAfterMs: 0 };
  const { status, retryAfter } = answer;
  if (isSuccess(status)) return { kind: 'success' as const };
  if (status === 410) return { kind: 'gone' as const };
  const isThrottled = isThrottle(status);
  return {
    kind: 'failure' as const,
    isThrottle: isThrottled,
    retryAfterMs: isThrottled ? retryAfterMs(retryAfter, { nowMs }) : 0,
  };
}

function isThrottle(status: number): boolean {
  return status === 429 || status === 503;
}

/** The schedule's wait, ±20 % (organization/policy.ts), in whole milliseconds. */
function scheduledWaitMs({ policy, attemptOfRound, chance }: Budget): number {
  return Math.round(backoffSeconds(policy, attemptOfRound) * (1 - jitter + 2 * jitter * chance) * 1000);
}
