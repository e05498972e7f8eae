import type { z } from 'zod';
import { endpointId } from '../shared/identifier.ts';
import { isInOrder, openSpan, outOfOrder } from '../shared/open-span.ts';
import type { OpenSpan } from '../shared/open-span.ts';
import { pageQuery } from '../shared/page.ts';
import { eventIdsBetween } from './event-id.ts';
import { eventTypeName } from './event-type.ts';
import { storedEvent } from './event.ts';
import type { StoredEvent } from './event.ts';

/** What a list of events takes. A page reads at most `limit` events and shows those that are asked for. */
export const eventListQuery = pageQuery
  .extend({
    status: storedEvent.shape.status.describe('Only events with this status.').optional(),
    type: eventTypeName.optional(),
    endpointId: endpointId
      .describe('Only events that are meant for this endpoint, or passed it by.')
      .optional(),
    ...openSpan,
  })
  .refine(isInOrder, outOfOrder);

export type EventListQuery = z.output<typeof eventListQuery>;

/** Whether a filtered list shows an event; its time is for `eventIdsOf` to judge. */
export function isAskedFor({ status, type, endpointId }: EventListQuery, event: StoredEvent): boolean {
  if (status !== undefined && event.status !== status) return false;
  if (type !== undefined && event.type !== type) return false;
  if (endpointId === undefined) return true;
  return event.endpoints.includes(endpointId) || event.skipped.some((skip) => skip.endpointId === endpointId);
}

/** The least and the greatest id of an event within a stretch of time: ids sort by it. */
export function eventIdsOf({ since, until }: OpenSpan): readonly [string, string] {
  const [least] = eventIdsBetween(since === undefined ? 0 : Date.parse(since), 0);
  const greatest = until === undefined ? 'evt_~' : eventIdsBetween(0, Date.parse(until))[1];
  return [least, greatest];
}
