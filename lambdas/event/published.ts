import { z } from 'zod';
import type { Fault } from '../shared/errors.ts';
import { ifObject, parsePart } from '../shared/faults.ts';
import { organizationId } from '../shared/identifier.ts';
import { memberText } from '../shared/json-text.ts';
import { parseJson } from '../shared/json.ts';
import { detailBytesMax } from './body.ts';
import { clocksMsMax, isEventTime, timeBounds } from './event-time.ts';
import { eventData } from './event-type.ts';
import type { RefusalReason } from './event.ts';
import { fingerprintAmong } from './publication/fingerprint.ts';

/** Source of what the API publishes. */
export const apiSource = 'tidings.api';

export const occurredAt = z.iso.datetime({ offset: true });
export const resource = z.string().min(1).max(512);
export const idempotencyKey = z.string().min(1).max(256);
export const data = eventData;

/** For what a producer says: a key alone makes no id. */
export const isKeyTimed = (said: { readonly idempotencyKey?: unknown; readonly occurredAt?: unknown }) =>
  said.idempotencyKey === undefined || said.occurredAt !== undefined;
export const keyUntimed = {
  error: 'goes together with occurredAt, since both make the id',
  path: ['idempotencyKey'],
  when: ifObject,
};

/** The envelope in which EventBridge hands an event to its target. */
const busEvent = z.object({
  id: z.string().min(1).max(64),
  'detail-type': z.string(),
  source: z.string(),
  /** EventBridge's, unless the producer gave one: `Time` of PutEvents may be any. */
  time: z.string(),
  resources: z.array(z.string().max(1_024)).max(100).catch([]),
  detail: z.looseObject({ organizationId }),
});

/** What a producer says. */
const detail = z
  .strictObject({
    organizationId,
    resource: resource.optional(),
    occurredAt: occurredAt.optional(),
    idempotencyKey: idempotencyKey.optional(),
    data,
  })
  .refine(isKeyTimed, keyUntimed);

/** What is known of every event on the bus that names an organization. */
export interface Arrival {
  readonly busEventId: string;
  readonly organizationId: string;
  readonly type: string;
  readonly source: string;
  /** When the queue took it, by the queue's clock, in milliseconds since 1970. */
  readonly receivedAtMs: number;
  /** What the envelope says, in milliseconds since 1970: the same in every copy, and no more than a producer's word. */
  readonly envelopeTimeMs: number;
  /** As the API has written it down; of what others publish there is none. */
  readonly fingerprint: string | undefined;
  readonly rawDetail: Readonly<Record<string, unknown>>;
  /** The same as it was written, as EventBridge hands it on. */
  readonly detailText: string;
}

/** What makes an event's id. */
export interface Origin {
  /** When it happened, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly idempotencyKey: string | undefined;
}

export type Content = Origin &
  (
    | {
        readonly kind: 'valid';
        readonly resource: string | undefined;
        /** What rules and schemas are held against. */
        readonly data: unknown;
        /** What is delivered. */
        readonly dataText: string;
      }
    | { readonly kind: 'invalid'; readonly reason: RefusalReason; readonly explanation: string }
  );

/**
 * Reads EventBridge's envelope; `undefined` when it is none, or not even the organization can be told.
 *
 * @param text as it came from the queue
 * @param receivedAtMs when the queue took it, in milliseconds since 1970
 */
export function readArrival(text: string, receivedAtMs: number): Arrival | undefined {
  const parsed = busEvent.safeParse(readJson(text));
  const detailText = parsed.success ? memberText(text, 'detail') : undefined;
  if (!parsed.success || detailText === undefined) return undefined;
  const { id, source, time, resources, detail: rawDetail } = parsed.data;
  return {
    busEventId: id,
    organizationId: rawDetail.organizationId,
    type: parsed.data['detail-type'].slice(0, 128),
    source: source.slice(0, 256),
    receivedAtMs,
    envelopeTimeMs: Date.parse(time),
    fingerprint: source === apiSource ? fingerprintAmong(resources) : undefined,
    rawDetail,
    detailText,
  };
}

/** What is not JSON was put there by hand, and is treated like an event that cannot be read. */
export function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Reads what the producer said. An explanation names the field at fault and never quotes it. */
export function readContent(arrival: Arrival): Content {
  const { rawDetail, detailText } = arrival;
  const origin = originOf(arrival);
  const invalid = (reason: RefusalReason, explanation: string): Content => {
    return { kind: 'invalid', ...origin, reason, explanation };
  };
  const bytes = Buffer.byteLength(detailText);
  if (bytes > detailBytesMax) {
    const explanation = `The detail has ${String(bytes)} bytes; ${String(detailBytesMax)} are allowed.`;
    return invalid('event_too_large', explanation);
  }
  const parsed = parsePart(detail, rawDetail);
  if (!parsed.ok) return invalid('invalid_event', explain(parsed.faults));
  const { resource, data, occurredAt } = parsed.value;
  if (occurredAt === undefined) {
    if (!isTaken(arrival, arrival.envelopeTimeMs)) return invalid('invalid_time', `Time: ${timeBounds}`);
  } else if (!isTaken(arrival, Date.parse(occurredAt))) {
    return invalid('invalid_time', `detail.occurredAt: ${timeBounds}`);
  }
  const dataText = memberText(detailText, 'data') ?? JSON.stringify(data);
  return { kind: 'valid', ...origin, resource, data, dataText };
}

/** What makes an id, as far as it can be read. */
const originFields = z.looseObject({
  occurredAt: occurredAt.optional().catch(undefined),
  idempotencyKey: idempotencyKey.optional().catch(undefined),
});

/**
 * When an event happened, and by which key, whatever else is wrong with it: one that is refused has the id by which its
 * publisher knows it. A time that is not taken is the queue's.
 */
function originOf(arrival: Arrival): Origin {
  const { occurredAt, idempotencyKey } = originFields.catch({}).parse(arrival.rawDetail);
  const saidMs = occurredAt === undefined ? NaN : Date.parse(occurredAt);
  if (isTaken(arrival, saidMs)) return { timeMs: saidMs, idempotencyKey };
  const { envelopeTimeMs, receivedAtMs } = arrival;
  const timeMs = isTaken(arrival, envelopeTimeMs) ? envelopeTimeMs : receivedAtMs;
  return { timeMs, idempotencyKey: undefined };
}

function isTaken({ receivedAtMs }: Arrival, timeMs: number): boolean {
  return isEventTime(timeMs, receivedAtMs + clocksMsMax);
}

/** The first thing that is wrong. The name of a field that is not known is the event's own, and not quoted. */
function explain([fault]: readonly Fault[]): string {
  if (fault === undefined || fault.code === 'unknown_field') return 'detail: has a field that is not known';
  return `${['detail', ...(fault.field === undefined ? [] : [fault.field])].join('.')}: ${fault.detail}`;
}
