import { operatorEvent } from '../event/operator-event.ts';
import type { Announce } from '../event/operator-event.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import type { Delivery } from './delivery.ts';
import { hopSeconds } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface FollowPorts {
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  readonly announce: Announce;
  readonly now: Now;
}

/**
 * Sends the message that a recorded delivery needs next: the one for its next attempt, or the last one, which
 * falls into the dead-letter queue. All it says comes from the record, so that it can be sent again after a crash.
 *
 * @param laterMs a safety copy, which does nothing unless the message proper was never sent, comes this much later
 */
export async function follow(
  { send, announce, now }: FollowPorts,
  delivery: Delivery,
  laterMs = 0,
): Promise<void> {
  const { organizationId, endpointId, eventId, eventType, round, attemptCount } = delivery;
  const nowMs = now();
  const lastError = delivery.lastError ?? 'unknown';
  const ids = { v: 1 as const, organizationId, endpointId, eventId, eventType, round, lastError };
  switch (delivery.status) {
    case 'retrying': {
      const notBeforeMs = Date.parse(delivery.nextAttemptAt ?? isoTime(nowMs)) + laterMs;
      const next = { ...ids, attempt: attemptCount + 1, trigger: 'scheduled' as const };
      return send({ ...next, notBefore: isoTime(notBeforeMs) }, hopSeconds(notBeforeMs, nowMs));
    }
    case 'dead': {
      const said = { organizationId, endpointId, eventId, eventType, attempts: attemptCount, lastError };
      // First, since who dies after the sending has nothing left that would bring him back.
      await announce(operatorEvent('delivery.dead', said));
      // The time of this sending, not of the death: SQS's time of sending is compared with it.
      const dead = { at: isoTime(nowMs), attempts: attemptCount, lastError };
      return send({ ...ids, attempt: attemptCount, trigger: 'scheduled', dead }, 0);
    }
    case 'delivered':
    case 'discarded':
    case 'failed':
      return;
  }
}
