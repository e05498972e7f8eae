import { z } from 'zod';

/** Milliseconds since 1970. */
export type Now = () => number;

/** ISO 8601 in UTC with milliseconds, as all our answers and messages write time. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/**
 * When something was changed that had been changed before: later than that by a clock's last digit at least. What is
 * written only over what was read goes by this time, so no two states may have the same, whoever's clock is behind.
 */
export function isoTimeAfter(before: string, nowMs: number): string {
  return isoTime(Math.max(nowMs, Date.parse(before) + 1));
}

/** Such a time in an answer: clients are told what the text is. What is stored is ours, and not checked again. */
export const shownTime = z.string().meta({ format: 'date-time' });

/** Epoch seconds after which an item that is written now is gone: DynamoDB's TTL counts in seconds. */
export function expiryOf(nowMs: number, retentionDays: number): number {
  return Math.ceil(nowMs / 1000) + retentionDays * 86_400;
}
