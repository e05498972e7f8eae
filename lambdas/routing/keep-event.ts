import { eventIdOf } from '../event/event-id.ts';
import type { StoredEvent } from '../event/event.ts';
import { operatorEvent } from '../event/operator-event.ts';
import type { Announce } from '../event/operator-event.ts';
import { isAnother } from '../event/publication/publish-once.ts';
import type { Arrival } from '../event/published.ts';
import { refused } from './refused-event.ts';

export interface KeepPorts {
  /**
   * Stores an event, unless one of its id is accepted, or is queued and says something else: gives that one. One that
   * was queued with the same content is replaced, and so is one that was refused: its producer has mended it.
   */
  readonly add: (event: StoredEvent) => Promise<StoredEvent | undefined>;
  readonly announce: Announce;
}

export interface Kept {
  /** What stands in the ledger. */
  readonly event: StoredEvent;
  /** Whether it was stored before. */
  readonly isDuplicate: boolean;
}

/**
 * Stores an event once. Another one of the same key and time is none of its copies: it is kept as refused, under an id of
 * its own, and the operator is told. To drop it in silence would lose an event that nobody ever hears of again.
 */
export async function keepEvent(ports: KeepPorts, arrival: Arrival, event: StoredEvent): Promise<Kept> {
  const before = await ports.add(event);
  if (before === undefined) return { event, isDuplicate: false };
  if (!isAnother(before, event)) return { event: before, isDuplicate: true };
  return { event: await keepConflicting(ports, { arrival, before }, event), isDuplicate: false };
}

async function keepConflicting(
  ports: KeepPorts,
  { arrival, before }: { readonly arrival: Arrival; readonly before: StoredEvent },
  { organizationId, type, timestamp, receivedAt, source, expiresAt, ...event }: StoredEvent,
): Promise<StoredEvent> {
  const { busEventId } = arrival;
  const id = eventIdOf({ organizationId, timeMs: Date.parse(timestamp), busEventId });
  const { fingerprint, resource, routedBy } = event;
  const conflicting = refused(
    {
      ...{ id, organizationId, type, timestamp, receivedAt, source, expiresAt },
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(resource === undefined ? {} : { resource }),
      ...(routedBy === undefined ? {} : { routedBy }),
    },
    arrival.detailText,
    {
      reason: 'idempotency_conflict',
      explanation: `Another event has this idempotencyKey and occurredAt: ${before.id}. Publish it with a key of its own.`,
    },
  );
  await ports.add(conflicting);
  const told = { organizationId, eventId: id, eventType: type, source, conflictsWith: before.id };
  await ports.announce(operatorEvent('event.conflicted', told));
  return conflicting;
}
