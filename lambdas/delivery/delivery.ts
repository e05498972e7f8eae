import { z } from 'zod';
import type { OpenSpan } from '../shared/open-span.ts';
import type { PageQuery } from '../shared/page.ts';
import { endpointPartition } from '../shared/waiting.ts';
import { attempt, trigger } from './attempt-record.ts';

/** `failed` is the end of a test event that was not taken: it is not tried again, and nobody's dead letter. */
export const deliveryStatus = z.enum(['delivered', 'retrying', 'dead', 'discarded', 'failed']);

/** Why a delivery was deliberately not made. */
export const discardReason = z.enum([
  'endpoint_disabled',
  'endpoint_deleted',
  'unsubscribed',
  'not_entitled',
  'expired',
  'gone',
]);

/** A delivery as the ledger keeps it: one event for one endpoint. */
export const delivery = z.object({
  organizationId: z.string(),
  endpointId: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  status: deliveryStatus,
  reason: discardReason.exactOptional(),
  round: z.number().int(),
  /** How many attempts had been made when the round began: its budget counts from there. */
  roundStart: z.number().int(),
  attemptCount: z.number().int(),
  /** The latest ones. */
  attempts: z.array(attempt),
  lastError: z.string().exactOptional(),
  nextAttemptAt: z.string().exactOptional(),
  /** Its place among the rows that wait, and that somebody comes for (shared/waiting.ts). */
  waiting: z.string().exactOptional(),
  waitingAt: z.string().exactOptional(),
  /** Why its next attempt is made, when it waits for it and somebody has asked for it. */
  trigger: trigger.exactOptional(),
  /** What the write of this record owes, and has perhaps not sent: the next message, or the dead letter. */
  owes: z.enum(['message', 'letter', 'nothing']).exactOptional(),
  updatedAt: z.string(),
  /** Epoch seconds. */
  expiresAt: z.number(),
});

/** What the index over deliveries that are not delivered holds: all but the attempts. */
export const deliverySummary = delivery.omit({ attempts: true, roundStart: true, owes: true });

export type Delivery = z.output<typeof delivery>;
export type DeliverySummary = z.output<typeof deliverySummary>;
export type DeliveryStatus = z.output<typeof deliveryStatus>;
export type DiscardReason = z.output<typeof discardReason>;

/** What callers see: of a delivery that waits, and was never attempted, that it is queued. */
export const shownStatus = z.enum([...deliveryStatus.options, 'queued']);

export type ShownStatus = z.output<typeof shownStatus>;

/** What a caller sees of a delivery's status. */
export function showStatus({ status, attemptCount }: Pick<Delivery, 'status' | 'attemptCount'>): ShownStatus {
  return status === 'retrying' && attemptCount === 0 ? 'queued' : status;
}

/**
 * What a record owes. Those of the version before do not say: what has neither ended nor a place is sent once more, and
 * the ledger lets one of the two pass.
 */
export function owedBy({ owes, waiting, status }: Pick<Delivery, 'owes' | 'waiting' | 'status'>) {
  if (owes !== undefined || waiting !== undefined) return owes ?? 'nothing';
  return status === 'retrying' ? 'message' : status === 'dead' ? 'letter' : 'nothing';
}

/** Whether a delivery waits for its endpoint as a row. */
export function isParked({ endpointId, waiting }: Pick<Delivery, 'endpointId' | 'waiting'>): boolean {
  return waiting === endpointPartition(endpointId);
}

/** What a list of deliveries is asked for: those of events of a type, of a stretch of time, of an endpoint. */
export interface DeliveriesQuery extends PageQuery, OpenSpan {
  readonly status?: ShownStatus | undefined;
  readonly type?: string | undefined;
  readonly endpointId?: string | undefined;
}

/** Whether a filtered list shows a delivery; the time of its event is for `eventIdsOf` to judge. */
export function isAskedFor(
  { status, type, endpointId }: DeliveriesQuery,
  one: Pick<Delivery, 'status' | 'attemptCount' | 'eventType' | 'endpointId'>,
): boolean {
  return (
    (status === undefined || showStatus(one) === status) &&
    (type === undefined || one.eventType === type) &&
    (endpointId === undefined || one.endpointId === endpointId)
  );
}

/** The ledger's item may grow for years of retries by hand; who looks wants the latest. */
export const attemptsKeptMax = 20;
