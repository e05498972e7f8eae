import { isParked } from '../../../lambdas/delivery/delivery.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import type { Dossier } from '../book.ts';
import { excusesOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import type { Check, Checks } from './check.ts';

export interface MessageFacts {
  readonly world: World;
  readonly dossier: Dossier;
  /** What is being sent; those before it stand in the dossier. */
  readonly message: DeliveryMessage;
}

/**
 * Of a delivery one message waits at most; another one has been asked for, or comes from what befell the first. What is
 * dropped where it arrives does not count: messages of an earlier pass over the rows, or of a recorded attempt.
 */
const oneMessage: Check<MessageFacts> = ({ world: { book }, dossier, message }) => {
  if (!isLive(message, dossier)) return undefined;
  let others = 0;
  for (const earlier of dossier.messages.values())
    if (isLive(earlier, dossier) && !isPassed(earlier, message)) others += 1;
  return others > excusesOf(book, dossier)
    ? `${others + 1} messages of ${dossier.key} wait at the same time`
    : undefined;
};

function isLive({ attempt, round, pass }: DeliveryMessage, { delivery }: Dossier): boolean {
  if (delivery === undefined || round > delivery.round) return true;
  // It waits as a row, and only who is brought back from there goes on.
  if (isParked(delivery) && pass === undefined) return false;
  return round === delivery.round && attempt > delivery.attemptCount;
}

function isPassed({ pass: earlier }: DeliveryMessage, { pass }: DeliveryMessage): boolean {
  return earlier !== undefined && pass !== undefined && earlier < pass;
}

export const ofMessage: Checks<MessageFacts> = [['I18', oneMessage]];
