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
