import { z } from 'zod';
import { spreadKeys } from '../shared/spread.ts';
import { deliverySummary } from './delivery.ts';
import { deliveryKey } from './key.ts';

/** The list, in the index `byStatus`, of an organization's deliveries that have ended in a way. */
export function statusList(organizationId: string, status: string): string {
  return `ORG#${organizationId}#${status}`;
}

/** The last delivery of a page of such a list. */
export interface EndedPosition {
  readonly eventId: string;
  readonly endpointId: string;
  /** It was recorded before lists were spread, and stands in a partition that holds events of all others, too. */
  readonly isUnspread?: true;
}

const endedItem = deliverySummary.extend({ statusKey: z.string() });

/** Where a page ends whose last item this is. */
export function endedPositionOf(item: unknown): EndedPosition {
  const { organizationId, status, eventId, endpointId, statusKey } = endedItem.parse(item);
  const isUnspread = statusKey === statusList(organizationId, status);
  return { eventId, endpointId, ...(isUnspread ? { isUnspread } : {}) };
}

interface Ended {
  readonly organizationId: string;
  readonly status: 'dead' | 'discarded';
  /** The least and the greatest id of an event. */
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  readonly position: EndedPosition | undefined;
  readonly isNewestFirst: boolean;
}

/**
 * A page of each partition of the list of what has ended in a way.
 *
 * Deliveries of one event may stand in two of them: in that of the event, and in the one that held all before lists were
 * spread. There those of the event's own partition come first (`queryMerged` keeps the order of these queries), and a
 * page may end in either: then only that one goes on in the middle of the event.
 */
export function endedQueries(TableName: string, wanted: Ended) {
  const { organizationId, status, limit, position, isNewestFirst } = wanted;
  const list = statusList(organizationId, status);
  return spreadKeys(list).flatMap((statusKey) => {
    const isHeldBy = position && (statusKey === list) === (position.isUnspread === true);
    const { from, to } = remaining(wanted, { isShown: isHeldBy === false && statusKey !== list });
    // DynamoDB refuses a stretch that ends before it begins.
    if (from > to) return [];
    return {
      TableName,
      IndexName: 'byStatus',
      KeyConditionExpression: 'statusKey = :pk AND eventId BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':pk': statusKey, ':from': from, ':to': to },
      ScanIndexForward: !isNewestFirst,
      Limit: limit,
      ...(isHeldBy === true && from <= position.eventId && position.eventId <= to
        ? {
            ExclusiveStartKey: {
              ...{ statusKey, eventId: position.eventId },
              ...deliveryKey(position.endpointId, position.eventId),
            },
          }
        : {}),
    };
  });
}

/** What of the list follows a position. @param isShown whether all of its event has been shown */
function remaining(
  { from, to, position, isNewestFirst }: Ended,
  { isShown }: { readonly isShown: boolean },
): { readonly from: string; readonly to: string } {
  if (position === undefined) return { from, to };
  const { eventId } = position;
  if (!isNewestFirst) {
    const least = isShown ? `${eventId} ` : eventId;
    return { from: least > from ? least : from, to };
  }
  const greatest = isShown ? justBefore(eventId) : eventId;
  return { from, to: greatest < to ? greatest : to };
}

/** A text between an id and all ids before it. */
function justBefore(id: string): string {
  const last = id.length - 1;
  return `${id.slice(0, last)}${String.fromCharCode(id.charCodeAt(last) - 1)}~`;
}
