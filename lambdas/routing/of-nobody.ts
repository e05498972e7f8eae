import { z } from 'zod';
import type { LogFields } from '../shared/log.ts';

const envelope = z.looseObject({
  id: z.string(),
  'detail-type': z.string(),
  source: z.string(),
  detail: z.unknown().optional(),
});

/** How the field is called by mistake; anything else is the producer's, and is not for the log. */
const misspelt = /^organi[sz]ation[_-]?id$/i;

/**
 * What an operator needs to find the producer of an event whose organization cannot be told: where it comes from, and
 * what is wrong with it. Nothing that the event says.
 */
export function traceOf(event: unknown): LogFields {
  const parsed = envelope.safeParse(event);
  if (!parsed.success) return { problem: 'it is no event of EventBridge' };
  const { id, source, detail, 'detail-type': eventType } = parsed.data;
  return {
    ...{ busEventId: id.slice(0, 64), source: source.slice(0, 256), eventType: eventType.slice(0, 128) },
    problem: problemOf(detail),
  };
}

function problemOf(detail: unknown): string {
  const fields = z.record(z.string(), z.unknown()).safeParse(detail);
  if (!fields.success) return 'it has no detail';
  const { organizationId } = fields.data;
  if (typeof organizationId === 'string') return 'detail.organizationId is no id of an organization';
  if (organizationId !== undefined) return 'detail.organizationId is no text';
  const other = Object.keys(fields.data).find((name) => misspelt.test(name));
  const hint = other === undefined ? '' : `, but there is detail.${other}`;
  return `detail.organizationId is missing${hint}`;
}
