import { operatorEvent } from '../event/operator-event.ts';
import type { Announce } from '../event/operator-event.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { owedBy } from './delivery.ts';
import type { Delivery, DeliverySummary } from './delivery.ts';
import { delayUntil } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface FollowPorts {
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  /** Has a message that is marked dead fall into the dead-letter queue. */
  readonly bury: (message: DeliveryMessage) => Promise<void>;
  readonly announce: Announce;
  /** Notes that what a record owed has been sent. */
  readonly strikeOff: (delivery: Delivery) => Promise<void>;
  readonly now: Now;
  readonly log: Log;
}

/**
 * Sends what a record owes: the message for the next attempt, or the last one, which falls into the dead-letter queue.
 * All of it stands in the record, which was written before, so whoever dies here is followed by the redelivered
 * message, which finds it owed and sends it. (What waits longer than a message can is owed to nobody: its record has
 * a place among the rows that somebody comes for.)
 *
 * @throws when it could not be sent; then it is still owed.
 */
export async function follow(ports: FollowPorts, delivery: Delivery): Promise<void> {
  const owed = owedBy(delivery);
  if (owed === 'nothing') return;
  const { send, bury, announce, now, log } = ports;
  if (owed === 'message') {
    const notBeforeMs = Date.parse(delivery.nextAttemptAt ?? delivery.updatedAt);
    const next = { ...nextMessage(delivery), notBefore: isoTime(notBeforeMs) };
    await send(next, delayUntil(notBeforeMs, now()));
  } else {
    const { organizationId, endpointId, eventId, eventType, attemptCount: attempts } = delivery;
    const lastError = delivery.lastError ?? 'unknown';
    const said = { organizationId, endpointId, eventId, eventType, attempts, lastError };
    // First, since who dies after the sending has nothing left that would bring him back.
    await announce(operatorEvent('delivery.dead', said));
    // The time of this sending, not of the death: SQS's time of sending is compared with it.
    const dead = { at: isoTime(now()), attempts, lastError };
    await bury({ ...nextMessage(delivery), attempt: attempts, dead });
  }
  await ports.strikeOff(delivery).catch((fault: unknown) => {
    // It is sent: only a copy of this message could find it owed, and would send it once more.
    const { organizationId, endpointId, eventId } = delivery;
    log('delivery.unstruck', { organizationId, endpointId, eventId, fault: nameOfFault(fault) });
  });
}

/** The message for the next attempt of a delivery. */
export function nextMessage(
  delivery: Omit<DeliverySummary, 'status' | 'updatedAt' | 'expiresAt'>,
): DeliveryMessage {
  const { organizationId, endpointId, eventId, eventType, round, attemptCount, lastError } = delivery;
  return {
    ...{ v: 1, organizationId, endpointId, eventId, eventType, round, attempt: attemptCount + 1 },
    trigger: 'scheduled',
    ...(lastError === undefined ? {} : { lastError }),
  };
}
