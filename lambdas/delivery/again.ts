import type { DeliverySummary } from './delivery.ts';
import { firstMessage } from './message.ts';
import type { DeliveryMessage, FirstAttempt } from './message.ts';

/**
 * The message by which somebody asks for a delivery once more, alone or among thousands (lambdas/recovery). After an
 * earlier one it opens the next round, with a fresh budget. A delivery that has not begun is asked for as its first
 * message asks: should that still be under way, the ledger lets one of the two pass.
 */
export function againMessage(ids: FirstAttempt, before: DeliverySummary | undefined): DeliveryMessage {
  const first = { ...firstMessage(ids), trigger: 'manual' as const };
  if (before === undefined) return first;
  return { ...first, round: before.round + 1, attempt: before.attemptCount + 1 };
}

/** The message that a delivery waits for and that was lost on its way: the next attempt, in the same round. */
export function lostMessage(ids: FirstAttempt, before: DeliverySummary): DeliveryMessage {
  return { ...firstMessage(ids), round: before.round, attempt: before.attemptCount + 1 };
}
