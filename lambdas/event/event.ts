import { z } from 'zod';
import { withMemberText } from '../shared/json-text.ts';
import { storedBody } from './body.ts';
import { category } from './event-type.ts';
import { shownTime } from '../shared/time.ts';

/** Why an endpoint that wanted an event was not meant to get it. */
export const skipReason = z.enum(['endpoint_disabled', 'gone', 'not_entitled']).meta({ id: 'SkipReason' });

export const skipped = z
  .object({ endpointId: z.string(), reason: skipReason })
  .meta({ id: 'SkippedEndpoint' });

/** Why an event went to nobody. */
export const refusalReason = z
  .enum([
    'invalid_event',
    'invalid_time',
    'unknown_event_type',
    'event_too_large',
    'schema_violation',
    'schema_not_judged',
    /** Another event has its key and time. */
    'idempotency_conflict',
    /** The bus did not take it from the API. */
    'not_published',
  ])
  .meta({ id: 'RefusalReason' });

const eventStatus = z.enum(['accepted', 'refused', 'queued', 'lost']).meta({
  id: 'EventStatus',
  description:
    '`queued`: published through the API, and not routed yet. `lost`: nothing has come of it in 14 days, as long as ' +
    'a queue keeps anything.',
});

/** An event as the ledger keeps it; `lost` is what is read there of one that is queued for too long. */
export const storedEvent = z.object({
  id: z.string(),
  organizationId: z.string(),
  type: z.string(),
  /** The category of the type when the event was routed; absent on a refused one. */
  category: category.exactOptional(),
  /** When it happened. */
  timestamp: shownTime,
  /** When the queue took it, by the queue's clock; of one that waits in events-dead, when it was redriven. */
  receivedAt: shownTime,
  source: z.string(),
  resource: z.string().exactOptional(),
  status: eventStatus,
  reason: refusalReason.exactOptional(),
  /** A sentence on the reason; never quotes the event. */
  explanation: z.string().exactOptional(),
  /** Where it breaks the schema of its type, and was accepted all the same; never quotes the event. */
  schemaViolation: z.string().exactOptional(),
  /** Why nobody could hold it against the schema of its type, and it was accepted all the same. */
  schemaNotJudged: z.string().exactOptional(),
  /** Endpoints that it is meant for. */
  endpoints: z.array(z.string()),
  skipped: z.array(skipped),
  /** Not there when it was too large to keep. */
  body: storedBody.exactOptional(),
  /** Of what it says: tells another event of the same key from a copy. */
  fingerprint: z.string().exactOptional(),
  /** Of one that is queued: the call that has queued it. */
  queuedBy: z.string().exactOptional(),
  /** Of one that is queued: that another call has found it so, and publishes it, too. */
  isPublishedAgain: z.boolean().exactOptional(),
  /** Id of the message that brought it: who stored it answers for its deliveries. */
  routedBy: z.string().exactOptional(),
  /** Epoch seconds. */
  expiresAt: z.number(),
});

/** What there is to know of an event but its body, which is most of its bytes. */
export const eventWithoutBody = storedEvent.omit({ body: true });

export type StoredEvent = z.output<typeof storedEvent>;
export type EventSummary = z.output<typeof eventWithoutBody>;
export type RefusalReason = z.output<typeof refusalReason>;
export type Skipped = z.output<typeof skipped>;

/** A stretch of time in ISO time, both ends included. */
export interface Span {
  readonly since: string;
  readonly until: string;
}

export interface EventBody {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly organizationId: string;
  readonly resource: string | undefined;
  /** The JSON text of an object, as its producer wrote it. */
  readonly dataText: string;
}

/** The body that every receiver of an event gets: UTF-8 without a BOM, the same bytes for all attempts. */
export function bodyOf({ id, type, timestamp, organizationId, resource, dataText }: EventBody): Uint8Array {
  return Buffer.from(withMemberText({ id, type, timestamp, organizationId, resource }, 'data', dataText));
}
