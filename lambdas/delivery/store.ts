import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { endpointKey, readEndpoint } from '../endpoint/store.ts';
import { endedPositionOf, endedQueries } from './ended-list.ts';
import type { EndedPosition } from './ended-list.ts';
import { deliveryKey } from './key.ts';
import { eventIdsOf } from '../event/event-list.ts';
import type { StoredEvent } from '../event/event.ts';
import { eventKey, readEvent } from '../event/store.ts';
import { organization } from '../organization/organization.ts';
import { organizationKey } from '../organization/store.ts';
import { endpointId, eventId } from '../shared/identifier.ts';
import { cursorAt, positionOf } from '../shared/page.ts';
import type { Page } from '../shared/page.ts';
import { isWritten, makeBatchedRead, queryMerged, queryPage } from '../shared/store.ts';
import type { Read } from '../shared/store.ts';
import type { Now } from '../shared/time.ts';
import { delivery, deliverySummary, isAskedFor } from './delivery.ts';
import type { DeliveriesQuery, Delivery, DeliverySummary } from './delivery.ts';
import type { DeliveryMessage } from './message.ts';
import { testsPerMinute } from './test-event.ts';
import type { Known, Recipient } from './decide.ts';

/** Reads an item of the ledger as a delivery; one past its time is gone. */
export function readDelivery(item: unknown, nowMs: number): Delivery | undefined {
  if (item === undefined) return undefined;
  const found = delivery.parse(item);
  return found.expiresAt * 1000 > nowMs ? found : undefined;
}

/** What the ledger knows of a message's delivery and event; both reads travel in one BatchGetItem. */
export function makeReadKnown(read: Read, now: Now) {
  return async function readKnown(message: DeliveryMessage): Promise<Known> {
    const [deliveryItem, eventItem] = await Promise.all([
      read(deliveryKey(message.endpointId, message.eventId)),
      read(eventKey(message.organizationId, message.eventId)),
    ]);
    return { delivery: readDelivery(deliveryItem, now()), event: readEvent(eventItem, now()) };
  };
}

/**
 * Whom a delivery is for, from the configuration: consistently read, or what a person has just switched on would be
 * discarded. What is asked for in one turn travels in one BatchGetItem, an organization once for all its endpoints.
 */
export function makeReadRecipient(read: Read) {
  return async function readRecipient(organizationId: string, endpointId: string): Promise<Recipient> {
    const [organizationItem, endpointItem] = await Promise.all([
      read(organizationKey(organizationId)),
      read(endpointKey(organizationId, endpointId)),
    ]);
    return {
      organization: organization.optional().parse(organizationItem),
      endpoint: readEndpoint(endpointItem),
    };
  };
}

/** Reads deliveries for people who ask. */
export function makeDeliveryReader(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  const read = makeBatchedRead(client, ledger);
  const get = async (endpointId: string, eventId: string): Promise<Delivery | undefined> =>
    readDelivery(await read(deliveryKey(endpointId, eventId)), now());
  return {
    get,

    /** Deliveries of one event; the reads travel together. */
    ofEvent: async ({ id, endpoints, skipped }: StoredEvent): Promise<Delivery[]> => {
      const all = [...endpoints, ...skipped.map(({ endpointId }) => endpointId)];
      const found = await Promise.all(all.map((endpointId) => get(endpointId, id)));
      return found.filter((delivery) => delivery !== undefined);
    },

    /**
     * Deliveries of an endpoint, newest event first. A page reads at most `limit` items and shows those that
     * match, so a filtered page may be short, or empty, and still have a next one.
     */
    ofEndpoint: async (endpointId: string, query: DeliveriesQuery): Promise<Page<Delivery>> => {
      const { limit, cursor } = query;
      const before = cursor === undefined ? undefined : positionOf(cursor, z.tuple([eventId]))[0];
      const [from, to] = eventIdsOf(query);
      // DynamoDB refuses to go on from outside of what is asked for.
      if (before !== undefined && before < from) return { data: [], nextCursor: null };
      const { items, isLast } = await queryPage(client, {
        TableName: ledger,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': deliveryKey(endpointId, '').pk,
          ':from': deliveryKey(endpointId, from).sk,
          ':to': deliveryKey(endpointId, to).sk,
        },
        ScanIndexForward: false,
        Limit: limit,
        ...(before === undefined ? {} : { ExclusiveStartKey: deliveryKey(endpointId, before) }),
      });
      const last = items.at(-1);
      return {
        data: items
          .map((item) => readDelivery(item, now()))
          .filter((found) => found !== undefined)
          .filter((found) => isAskedFor(query, found)),
        nextCursor: isLast || last === undefined ? null : cursorAt([delivery.parse(last).eventId]),
      };
    },

    withStatus: withStatusOf(client, ledger, now),
  };
}

/** Deliveries of an organization that have ended otherwise than delivered, newest event first, from the sparse index. */
function withStatusOf(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return async function withStatus(
    organizationId: string,
    status: 'dead' | 'discarded',
    query: DeliveriesQuery,
  ): Promise<Page<DeliverySummary>> {
    const { limit, cursor } = query;
    const [from, to] = eventIdsOf(query);
    const position = cursor === undefined ? undefined : positionOf(cursor, endedPosition);
    const { items, isLast } = await queryMerged(
      client,
      endedQueries(ledger, { organizationId, status, from, to, limit, position, isNewestFirst: true }),
      ({ eventId: order }) => String(order),
    );
    const data = items.map((item) => deliverySummary.parse(item));
    const last = items.at(-1);
    return {
      data: data.filter((one) => one.expiresAt * 1000 > now()).filter((one) => isAskedFor(query, one)),
      nextCursor: isLast || last === undefined ? null : endedCursorAt(endedPositionOf(last)),
    };
  };
}

/** Those of an old partition are told apart, so that a cursor of the version before is one, too. */
const unspread = 'unspread';
const endedPosition = z
  .tuple([eventId, endpointId, z.literal(unspread).optional()])
  .transform(([event, endpoint, where]): EndedPosition => ({
    ...{ eventId: event, endpointId: endpoint },
    ...(where === undefined ? {} : { isUnspread: true }),
  }));

function endedCursorAt({ eventId, endpointId, isUnspread }: EndedPosition): string {
  return cursorAt([eventId, endpointId, ...(isUnspread === true ? [unspread] : [])]);
}

/** Counts the tests of an endpoint in windows of a minute; false for one too many. */
export function makeCountTest(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return async function countTest(endpointId: string): Promise<boolean> {
    const window = Math.floor(now() / 60_000);
    const common = {
      TableName: ledger,
      Key: { pk: `ENDPOINT#${endpointId}`, sk: 'TESTS' },
      ExpressionAttributeNames: { '#window': 'window', '#count': 'count' },
    };
    const begun = await isWritten(
      client,
      new UpdateCommand({
        ...common,
        UpdateExpression: 'SET #window = :window, #count = :one, expiresAt = :expiresAt',
        ConditionExpression: 'attribute_not_exists(#window) OR #window < :window',
        ExpressionAttributeValues: { ':window': window, ':one': 1, ':expiresAt': (window + 2) * 60 },
      }),
    );
    if (begun) return true;
    return isWritten(
      client,
      new UpdateCommand({
        ...common,
        UpdateExpression: 'ADD #count :one',
        ConditionExpression: '#window = :window AND #count < :max',
        ExpressionAttributeValues: { ':window': window, ':one': 1, ':max': testsPerMinute },
      }),
    );
  };
}
