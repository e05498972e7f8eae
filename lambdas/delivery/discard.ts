import type { Verdict } from '../shared/batch.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Decision } from './decide.ts';
import type { Delivery } from './delivery.ts';
import { hold } from './hold.ts';
import type { HoldPorts } from './hold.ts';
import type { ParkPorts } from './park.ts';
import { lookAgain } from './settle.ts';

export interface DiscardPorts extends HoldPorts, Pick<ParkPorts, 'rewrite' | 'retentionDays'> {}

/** Ends a delivery that is deliberately not made. */
export async function discard(
  ports: DiscardPorts,
  decision: Extract<Decision, { kind: 'discard' }>,
  before: Delivery | undefined,
): Promise<Verdict> {
  const { message, reason } = decision;
  try {
    const recorded = await ports.rewrite(discarded(ports, decision, before));
    const { organizationId, endpointId, eventId, attempt: number, round } = message;
    const ids = { organizationId, endpointId, eventId, attempt: number, round };
    ports.log('delivery.discarded', { ...ids, reason, recorded });
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
