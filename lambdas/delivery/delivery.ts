import { z } from 'zod';
import type { OpenSpan } from '../shared/open-span.ts';
import type { PageQuery } from '../shared/page.ts';
import { trigger } from './message.ts';

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

/** One request to a receiver, as the ledger and the API show it. */
export const attempt = z.object({
  number: z.number().int(),
  round: z.number().int(),
  trigger,
  /** When it began. */
  at: z.string(),
  durationMs: z.number(),
  outcome: z.enum(['delivered', 'retry', 'dead', 'failed']),
  /** Absent on success. */
  code: z.string().exactOptional(),
  statusCode: z.number().exactOptional(),
  /** The beginning of the receiver's answer, where the endpoint keeps it. Untrusted text. */
  responseBody: z.string().exactOptional(),
});

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
  updatedAt: z.string(),
  /** Epoch seconds. */
  expiresAt: z.number(),
});

/** What the index over deliveries that are not delivered holds: all but the attempts. */
export const deliverySummary = delivery.omit({ attempts: true, roundStart: true });

export type Attempt = z.output<typeof attempt>;
export type Delivery = z.output<typeof delivery>;
export type DeliverySummary = z.output<typeof deliverySummary>;
export type DeliveryStatus = z.output<typeof deliveryStatus>;
export type DiscardReason = z.output<typeof discardReason>;

/** What a list of deliveries is asked for: those of events of a type, of a stretch of time, of an endpoint. */
export interface DeliveriesQuery extends PageQuery, OpenSpan {
  readonly status?: DeliveryStatus | undefined;
  readonly type?: string | undefined;
  readonly endpointId?: string | undefined;
}

/** Whether a filtered list shows a delivery; the time of its event is for `eventIdsOf` to judge. */
export function isAskedFor(
  { status, type, endpointId }: DeliveriesQuery,
  one: Pick<Delivery, 'status' | 'eventType' | 'endpointId'>,
): boolean {
  return (
    (status === undefined || one.status === status) &&
    (type === undefined || one.eventType === type) &&
    (endpointId === undefined || one.endpointId === endpointId)
  );
}

/** The ledger's item may grow for years of retries by hand; who looks wants the latest. */
export const attemptsKeptMax = 20;
