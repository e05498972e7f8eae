import { z } from 'zod';
import { organizationId } from '../shared/identifier.ts';
import { memberText } from '../shared/json-text.ts';
import { jsonObject, parseJson } from '../shared/json.ts';
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

/** What a producer says. */
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
  /** The same as it was written, as EventBridge hands it on. */
  readonly detailText: string;
}

export type Content =
  | {
      readonly kind: 'valid';
      readonly timeMs: number;
      readonly resource: string | undefined;
      readonly idempotencyKey: string | undefined;
      /** What rules and schemas are held against. */
      readonly data: unknown;
      /** What is delivered. */
      readonly dataText: string;
    }
  | { readonly kind: 'invalid'; readonly reason: RefusalReason; readonly explanation: string };

/**
 * Reads EventBridge's envelope; `undefined` when it is none, or not even the organization can be told.
 *
 * @param text as it came from the queue
 */
export function readArrival(text: string): Arrival | undefined {
  const parsed = busEvent.safeParse(readJson(text));
  const detailText = parsed.success ? memberText(text, 'detail') : undefined;
  if (!parsed.success || detailText === undefined) return undefined;
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
    detailText,
  };
}

/** What is not JSON was put there by hand, and is treated like an event that cannot be read. */
function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Reads what the producer said. An explanation names the field at fault and never quotes it. */
export function readContent({ rawDetail, detailText, receivedAtMs }: Arrival): Content {
  const bytes = Buffer.byteLength(detailText);
  if (bytes > detailBytesMax) {
    const explanation = `The detail has ${String(bytes)} bytes; ${String(detailBytesMax)} are allowed.`;
    return { kind: 'invalid', reason: 'event_too_large', explanation };
  }
  const parsed = detail.safeParse(rawDetail);
  if (!parsed.success) {
    return { kind: 'invalid', reason: 'invalid_event', explanation: explain(parsed.error) };
  }
  const { resource, idempotencyKey, data } = parsed.data;
  const timeMs = parsed.data.occurredAt === undefined ? receivedAtMs : Date.parse(parsed.data.occurredAt);
  if (timeMs < 0 || timeMs > receivedAtMs + aheadMsMax) {
    const explanation = 'detail.occurredAt: lies before 1970 or more than a day ahead';
    return { kind: 'invalid', reason: 'invalid_event', explanation };
  }
  const dataText = memberText(detailText, 'data') ?? JSON.stringify(data);
  return { kind: 'valid', timeMs, resource, idempotencyKey, data, dataText };
}

function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = ['detail', ...(issue?.path.map(String) ?? [])].join('.');
  const unknown = issue?.code === 'unrecognized_keys' ? 'has a field that is not known' : undefined;
  return `${path.slice(0, 200)}: ${unknown ?? issue?.message ?? 'invalid'}`;
}
