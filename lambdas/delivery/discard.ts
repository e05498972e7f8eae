import type { Verdict } from '../shared/batch.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Decision } from './decide.ts';
import type { Delivery } from './delivery.ts';
import { hold } from './hold.ts';
import type { HoldPorts } from './hold.ts';
import type { DeliveryMessage } from './message.ts';

export interface DiscardPorts extends HoldPorts {
  /** Writes over a record without a new attempt; whoever has attempted it meanwhile stands. */
  readonly rewrite: (after: Delivery) => Promise<'recorded' | 'superseded'>;
  readonly retentionDays: number;
}

/** Ends a delivery that is deliberately not made, with the reason. */
export async function discard(
  ports: DiscardPorts,
  decision: Extract<Decision, { kind: 'discard' }>,
  before: Delivery | undefined,
): Promise<Verdict> {
  const { message, reason } = decision;
  try {
    const recorded = await ports.rewrite(discarded(ports, decision, before));
    ports.log('delivery.discarded', { ...idsOf(message), reason, recorded });
    if (recorded === 'superseded') await lookAgain(ports, message);
    return 'done';
  } catch (fault) {
    return hold(ports, message, { code: 'ledger_unavailable', fault });
  }
}

/** The delivery after it was deliberately not made. */
function discarded(
  { now, retentionDays }: DiscardPorts,
  { message, reason }: Extract<Decision, { kind: 'discard' }>,
  before: Delivery | undefined,
): Delivery {
  const { organizationId, endpointId, eventId, eventType, round } = message;
  const attemptCount = before?.attemptCount ?? 0;
  return {
    ...{ organizationId, endpointId, eventId, eventType, status: 'discarded', reason, round, attemptCount },
    roundStart: before?.round === round ? before.roundStart : attemptCount,
    attempts: before?.attempts ?? [],
    ...(before?.lastError === undefined ? {} : { lastError: before.lastError }),
    updatedAt: isoTime(now()),
    expiresAt: expiryOf(now(), retentionDays),
  };
}

/** Something was recorded while this was decided: it is decided anew. */
export async function lookAgain({ send }: Pick<HoldPorts, 'send'>, message: DeliveryMessage): Promise<void> {
  await send(message, 1);
}

/** What a line of the log says of a delivery. */
export function idsOf({ organizationId, endpointId, eventId, attempt: number, round }: DeliveryMessage) {
  return { organizationId, endpointId, eventId, attempt: number, round };
}
