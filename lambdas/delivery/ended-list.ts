import { spreadKeys } from '../shared/spread.ts';
import { deliveryKey } from './key.ts';

/** The list, in the index `byStatus`, of an organization's deliveries that have ended in a way. */
export function statusList(organizationId: string, status: string): string {
  return `ORG#${organizationId}#${status}`;
}

interface Ended {
  readonly organizationId: string;
  readonly status: 'dead' | 'discarded';
  /** The least and the greatest id of an event. */
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  /** Event and endpoint of the last one of the page before. */
  readonly position: readonly [string, string] | undefined;
  readonly isNewestFirst: boolean;
}

/** A page of each partition of the list of what has ended in a way. */
export function endedQueries(TableName: string, wanted: Ended) {
  const { organizationId, status, from, to, limit, position, isNewestFirst } = wanted;
  return spreadKeys(statusList(organizationId, status)).map((statusKey) => ({
    TableName,
    IndexName: 'byStatus',
    KeyConditionExpression: 'statusKey = :pk AND eventId BETWEEN :from AND :to',
    ExpressionAttributeValues: { ':pk': statusKey, ':from': from, ':to': to },
    ScanIndexForward: !isNewestFirst,
    Limit: limit,
    ...(position === undefined
      ? {}
      : { ExclusiveStartKey: { statusKey, eventId: position[0], ...deliveryKey(position[1], position[0]) } }),
  }));
}
