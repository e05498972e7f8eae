import { isoTime } from '../shared/time.ts';
import type { PostResult } from '../request/answer.ts';
import type { Attempt } from './delivery.ts';

/** Of a receiver's answer, where the endpoint keeps it: enough for an error message, too little to carry data off. */
export const keepResponseBytes = 1_024;

interface Circumstances extends Pick<Attempt, 'number' | 'round' | 'trigger'> {
  readonly startedMs: number;
}

interface Verdict {
  readonly kind: Attempt['outcome'];
  readonly code?: string;
  readonly statusCode: number | undefined;
}

/** An attempt as the ledger keeps it. */
export function attemptOf(
  { number, round, trigger, startedMs }: Circumstances,
  { kind, code, statusCode }: Verdict,
  { durationMs, answer }: PostResult,
): Attempt {
  const body = answer.kind === 'response' ? answer.body : undefined;
  return {
    number,
    round,
    trigger,
    at: isoTime(startedMs),
    durationMs: Math.round(durationMs),
    outcome: kind,
    ...(code === undefined ? {} : { code }),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(body === undefined ? {} : { responseBody: body }),
  };
}
