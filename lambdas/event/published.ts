import { z } from 'zod';
import type { Fault } from '../shared/errors.ts';
import { parsePart } from '../shared/faults.ts';
import { organizationId } from '../shared/identifier.ts';
import { jsonObject } from '../shared/json.ts';
import { detailBytesMax } from './body.ts';
import type { RefusalReason } from './event.ts';

/** How far ahead of the bus's clock an event may say that it happened: ids sort by that time. */
const aheadMsMax = 86_400_000;

export const occurredAt = z.iso.datetime({ offset: true });
export const resource = z.string().min(1).max(512);
export const idempotencyKey = z.string().min(1).max(256);
export const data = jsonObject;

/** The envelope in which EventBridge hands an event to its target. */
const busEvent = z.object({
  id: z.string().min(1).max(64),
  'detail-type': z.string(),
  source: z.string(),
  time: z.iso.datetime({ offset: true }),
  detail: z.looseObject({ organizationId }),
});

/** What a producer says (DESIGN.md, section 4). */
const detail = z
  .strictObject({
    organizationId,
    resource: resource.optional(),
    occurredAt: occurredAt.optional(),
    idempotencyKey: idempotencyKey.optional(),
    data,
  })
  .refine((d) => d.idempotencyKey === undefined || d.occurredAt !== undefined, {
    error: 'goes together with occurredAt, since both make the id',
    path: ['idempotencyKey'],
  });

/** What is known of every event on the bus that names an organization. */
export interface Arrival {
  readonly busEventId: string;
  readonly organizationId: string;
  readonly type: string;
  readonly source: string;
  /** When EventBridge took it, in milliseconds since 1970. */
  readonly receivedAtMs: number;
  readonly rawDetail: unknown;
}

export type Content =
  | {
      readonly kind: 'valid';
      readonly timeMs: number;
      readonly resource: string | undefined;
      readonly idempotencyKey: string | undefined;
      readonly data: unknown;
    }
  | { readonly kind: 'invalid'; readonly reason: RefusalReason; readonly explanation: string };

/** Reads EventBridge's envelope; `undefined` when it is none, or not even the organization can be told. */
export function readArrival(event: unknown): Arrival | undefined {
  const parsed = busEvent.safeParse(event);
  if (!parsed.success) return undefined;
  const { id, source, time, detail: rawDetail } = parsed.data;
  const receivedAtMs = Date.parse(time);
  // A producer may give the time itself (PutEvents), and no id holds one before 1970.
  if (receivedAtMs < 0) return undefined;
  return {
    busEventId: id,
    organizationId: rawDetail.organizationId,
    type: parsed.data['detail-type'].slice(0, 128),
    source: source.slice(0, 256),
    receivedAtMs,
    rawDetail,
  };
}

/** Reads what the producer said. An explanation names the field at fault and never quotes it. */
export function readContent({ rawDetail, receivedAtMs }: Arrival): Content {
  const bytes = Buffer.byteLength(JSON.stringify(rawDetail));
  if (bytes > detailBytesMax) {
    const explanation = `The detail has ${String(bytes)} bytes; ${String(detailBytesMax)} are allowed.`;
    return { kind: 'invalid', reason: 'event_too_large', explanation };
  }
  const parsed = parsePart(detail, rawDetail);
  if (!parsed.ok) {
    return { kind: 'invalid', reason: 'invalid_event', explanation: explain(parsed.faults) };
  }
  const { resource, idempotencyKey, data, occurredAt } = parsed.value;
  const timeMs = occurredAt === undefined ? receivedAtMs : Date.parse(occurredAt);
  if (timeMs < 0 || timeMs > receivedAtMs + aheadMsMax) {
    const explanation = 'detail.occurredAt: lies before 1970 or more than a day ahead';
    return { kind: 'invalid', reason: 'invalid_event', explanation };
  }
  return { kind: 'valid', timeMs, resource, idempotencyKey, data };
}

/** The first thing that is wrong. The name of a field that is not known is the event's own, and not quoted. */
function explain([fault]: readonly Fault[]): string {
  if (fault === undefined || fault.code === 'unknown_field') return 'detail: has a field that is not known';
  return `${['detail', ...(fault.field === undefined ? [] : [fault.field])].join('.')}: ${fault.detail}`;
}
