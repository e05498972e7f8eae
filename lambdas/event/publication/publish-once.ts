import { Conflict } from '../../shared/errors.ts';
import { expiryOf, isoTime } from '../../shared/time.ts';
import type { StoredEvent } from '../event.ts';
import { apiSource } from '../published.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface PublishOncePorts {
  /**
   * Writes down that an event was published, unless one of its id is queued or accepted: gives that one. What was
   * refused, or is lost, leaves its key free. One that is queued and says the same is marked as published again: then
   * no call can say alone that the bus has not taken it.
   */
  readonly queue: (event: StoredEvent) => Promise<StoredEvent | undefined>;
  /** Says of an event that was queued by this very call, and published by no other, that the bus has not taken it. */
  readonly withdraw: (event: StoredEvent) => Promise<void>;
  readonly publish: (entry: PublishedEntry) => Promise<void>;
}

/** What is put on the bus. */
export interface PublishedEntry {
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: string;
  readonly resources?: readonly string[];
}

/**
 * Publishes an event under an id that is found from then on. It is written down first: what is on the bus is routed at
 * once, and its publisher must never be told of an id that nobody knows.
 *
 * Whoever dies between the two has answered nobody. The event stays `queued`, and is `lost` when no queue can hold it any
 * more; published again with the same key it goes on. Until it is lost its key stays taken against other content: the bus
 * may have it.
 *
 * @returns whether the same event had been published before
 * @throws Conflict when another event was, with the same key and time
 */
export async function publishOnce(
  { queue, withdraw, publish }: PublishOncePorts,
  event: StoredEvent,
  entry: PublishedEntry,
): Promise<boolean> {
  const before = await queue(event);
  if (before !== undefined && isAnother(before, event)) {
    throw new Conflict(
      'idempotency_conflict',
      `Another event was published with this idempotencyKey and occurredAt: ${event.id}. Take a key of its own for this one.`,
      'idempotencyKey',
    );
  }
  if (before?.status === 'accepted') return true;
  try {
    // Also of one that is queued already: perhaps whoever queued it died before the bus had it.
    await publish(entry);
  } catch (fault) {
    // If this fails too, it stays queued: nobody has been told otherwise.
    await withdraw(event).catch(() => undefined);
    throw fault;
  }
  // The SDK repeats a write whose answer was lost, and meets its own.
  return before !== undefined && before.queuedBy !== event.queuedBy;
}

/** Whether two events of one id say different things; of what the version before has stored nobody knows. */
export function isAnother(before: StoredEvent, event: StoredEvent): boolean {
  return before.fingerprint !== undefined && before.fingerprint !== event.fingerprint;
}

interface Publication {
  readonly id: string;
  readonly organizationId: string;
  readonly type: string;
  readonly timeMs: number;
  readonly resource?: string | undefined;
  readonly data: unknown;
}

interface Queueing {
  readonly nowMs: number;
  readonly retentionDays: number;
  /** Another for each call: two may come in the same millisecond. */
  readonly queuedBy: string;
}

/** An event that the API has published, as it is known until it is routed. */
export function queuedEvent(
  { id, organizationId, type, timeMs, resource, data }: Publication,
  { nowMs, retentionDays, queuedBy }: Queueing,
): StoredEvent & { readonly fingerprint: string } {
  return {
    ...{
      id,
      organizationId,
      type,
      timestamp: isoTime(timeMs),
      receivedAt: isoTime(nowMs),
      source: apiSource,
    },
    ...(resource === undefined ? {} : { resource }),
    ...{
      status: 'queued',
      queuedBy,
      endpoints: [],
      skipped: [],
      fingerprint: fingerprintOf({ type, resource, data }),
    },
    expiresAt: expiryOf(nowMs, retentionDays),
  };
}
