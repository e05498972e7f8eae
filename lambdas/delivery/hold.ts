import { jitter } from '../organization/policy.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import type { Now } from '../shared/time.ts';
import { delaySecondsMax, delayUntil, waitingUntil } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface HoldPorts {
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  readonly now: Now;
  readonly random: () => number;
  readonly log: Log;
}

/** What of ours did not work. */
export type OwnFault =
  'configuration_unavailable' | 'ledger_unavailable' | 'signing_unavailable' | 'bus_unavailable';

const heldMs = 60_000;

/** From the fifth time on a fault is no hiccup: a quarter of an hour has passed since the first. */
export const lastingFaults = 4;

/** A function's time, and as much of lateness of a lane as rings no alarm (lib/monitoring). */
const receiveMsMax = 60_000;
const laneLateMsMax = 300_000;

/**
 * The longest that a delivery is nothing but a message, while all that does not work is what signs it: an hour. Four
 * times it is put off for ever longer; then the endpoint is paused for our own fault, and it is put off for as long as a
 * message can wait; then it may have to probe, and is put off once more; then it is parked. In between it is received
 * seven times. What is later than that has no message any more. (Or the ledger cannot be written for long: then what is
 * sent once more is one copy too many, of which the ledger lets one pass.)
 */
export const unrecordedMsMax =
  heldMs * (2 ** lastingFaults - 1) * (1 + jitter) +
  2 * delaySecondsMax * 1000 +
  (lastingFaults + 3) * receiveMsMax +
  laneLateMsMax;

/**
 * Puts a delivery off, its attempt unspent, because something of ours does not work: for a minute, then for twice as
 * long each time, up to the longest that a message can wait. A message that is merely left unacknowledged would use up
 * its receives in a longer outage.
 *
 * @throws when not even that can be sent; then the message is left to SQS.
 */
export async function hold(
  { send, now, random, log }: HoldPorts,
  message: DeliveryMessage,
  { code, fault }: { code: OwnFault; fault: unknown },
): Promise<'done'> {
  const nowMs = now();
  const { organizationId, endpointId, eventId, attempt, round, putOff = 0 } = message;
  const spread = 1 - jitter + 2 * jitter * random();
  // From there on it would be longer than a message can wait.
  const doublings = Math.min(putOff, lastingFaults);
  const untilMs = nowMs + Math.min(delaySecondsMax * 1000, Math.round(heldMs * 2 ** doublings * spread));
  log('delivery.held', {
    ...{ organizationId, endpointId, eventId, attempt, round, code, putOff },
    fault: nameOfFault(fault),
  });
  const later = { ...waitingUntil(message, untilMs), putOff: putOff + 1 };
  await send(later, delayUntil(untilMs, nowMs));
  return 'done';
}
