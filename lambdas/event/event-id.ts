import { createHash } from 'node:crypto';
import { ulid } from '../shared/ulid.ts';

export interface EventOrigin {
  readonly organizationId: string;
  /** When the event happened, in milliseconds since 1970. */
  readonly timeMs: number;
  /** The producer's key, if it gave one. */
  readonly idempotencyKey?: string | undefined;
  /** The id that EventBridge gave: the same for every copy that it delivers. */
  readonly busEventId: string;
}

/**
 * The id of an event, which goes out as `webhook-id`. It sorts by the event's time; the rest follows from the
 * organization and the producer's key, so that the same event published or routed twice has the same id.
 */
export function eventIdOf(origin: EventOrigin): string {
  const { organizationId, timeMs, idempotencyKey, busEventId } = origin;
  const name = idempotencyKey === undefined ? ['bus', busEventId] : ['key', idempotencyKey];
  const hash = createHash('sha256').update(JSON.stringify([organizationId, ...name]));
  return `evt_${ulid(timeMs, hash.digest())}`;
}

/** The least and the greatest id of an event that happens between two moments, both included. */
export function eventIdsBetween(sinceMs: number, untilMs: number): readonly [string, string] {
  const [least, greatest] = [new Uint8Array(10), new Uint8Array(10).fill(255)];
  return [`evt_${ulid(Math.max(0, sinceMs), least)}`, `evt_${ulid(Math.max(0, untilMs), greatest)}`];
}
