import { jitter } from '../organization/policy.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import type { Now } from '../shared/time.ts';
import { hopSeconds, waitingUntil } from './message.ts';
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

/**
 * Puts a delivery off for about a minute, its attempt unspent, because something of ours does not work: a message
 * merely left unacknowledged would use up its five receives in a longer outage (DESIGN.md, section 4).
 *
 * @throws when not even the hop can be sent; then the message is left to SQS.
 */
export async function hold(
  { send, now, random, log }: HoldPorts,
  message: DeliveryMessage,
  { code, fault }: { code: OwnFault; fault: unknown },
): Promise<'done'> {
  const nowMs = now();
  const untilMs = nowMs + Math.round(heldMs * (1 - jitter + 2 * jitter * random()));
  const { organizationId, endpointId, eventId, attempt, round } = message;
  log('delivery.held', {
    organizationId,
    endpointId,
    eventId,
    attempt,
    round,
    code,
    fault: nameOfFault(fault),
  });
  await send(waitingUntil(message, untilMs), hopSeconds(untilMs, nowMs));
  return 'done';
}
