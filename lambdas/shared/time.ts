import { z } from 'zod';

/** Milliseconds since 1970. */
export type Now = () => number;

/** ISO 8601 in UTC with milliseconds, as all our answers and messages write time. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Such a time in an answer: clients are told what the text is. What is stored is ours, and not checked again. */
export const shownTime = z.string().meta({ format: 'date-time' });

/** Epoch seconds after which an item that is written now is gone: DynamoDB's TTL counts in seconds. */
export function expiryOf(nowMs: number, retentionDays: number): number {
  return Math.ceil(nowMs / 1000) + retentionDays * 86_400;
}
