import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import type { Delivery } from './delivery.ts';
import { hopSeconds } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface FollowPorts {
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  readonly now: Now;
}

/**
 * Sends the message that a recorded delivery needs next: the one for its next attempt, or the last one, which
 * falls into the dead-letter queue. All it says comes from the record, so that it can be sent again after a crash.
 */
export async function follow({ send, now }: FollowPorts, delivery: Delivery): Promise<void> {
  const { organizationId, endpointId, eventId, eventType, round, attemptCount } = delivery;
  const nowMs = now();
  const lastError = delivery.lastError ?? 'unknown';
  const ids = { v: 1 as const, organizationId, endpointId, eventId, eventType, round, lastError };
  switch (delivery.status) {
    case 'retrying': {
      const notBefore = delivery.nextAttemptAt ?? isoTime(nowMs);
      const next = { ...ids, attempt: attemptCount + 1, notBefore, trigger: 'scheduled' as const };
      return send(next, hopSeconds(Date.parse(notBefore), nowMs));
    }
    case 'dead': {
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
