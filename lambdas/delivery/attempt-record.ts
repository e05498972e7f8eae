import { z } from 'zod';
import type { PostResult } from '../request/answer.ts';
import { phaseName } from '../request/phases.ts';
import { isoTime } from '../shared/time.ts';

/** Why an attempt is made. */
export const trigger = z.enum(['scheduled', 'manual', 'redrive', 'test']);

/** One request to a receiver, as the ledger and the API show it. */
export const attempt = z.object({
  number: z.number().int(),
  round: z.number().int(),
  trigger,
  /** When it began. */
  at: z.string(),
  durationMs: z.number(),
  outcome: z.enum(['delivered', 'retry', 'dead', 'failed']),
  /** Absent on success. */
  code: z.string().exactOptional(),
  /** The phase that failed; absent when an answer came, whatever it was. */
  stoppedAt: phaseName.exactOptional(),
  statusCode: z.number().exactOptional(),
  /** The beginning of the receiver's answer, where the endpoint keeps it. Untrusted text. */
  responseBody: z.string().exactOptional(),
});

export type Attempt = z.output<typeof attempt>;

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
  { durationMs, answer, phases }: PostResult,
): Attempt {
  const stoppedAt = phases.find(({ ok }) => !ok)?.name;
  const body = answer.kind === 'response' ? answer.body : undefined;
  return {
    number,
    round,
    trigger,
    at: isoTime(startedMs),
    durationMs: Math.round(durationMs),
    outcome: kind,
    ...(code === undefined ? {} : { code }),
    ...(stoppedAt === undefined ? {} : { stoppedAt }),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(body === undefined ? {} : { responseBody: body }),
  };
}
