import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { eventId } from '../shared/identifier.ts';
import { parseJson } from '../shared/json.ts';
import { cursorAt, positionOf } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { isWritten, queryAll, queryPage } from '../shared/store.ts';
import type { Key } from '../shared/store.ts';
import type { Now } from '../shared/time.ts';
import { eventType } from './event-type.ts';
import type { EventType } from './event-type.ts';
import { eventIdsBetween } from './event-id.ts';
import { eventSummary, storedEvent } from './event.ts';
import type { EventSummary, Span, StoredEvent } from './event.ts';

/** Key of an event in the ledger. */
export function eventKey(organizationId: string, id: string): Key {
  return { pk: `ORG#${organizationId}`, sk: `EVENT#${id}` };
}

/** Reads an item of the ledger as an event; one past its time is gone, though DynamoDB may not have deleted it yet. */
export function readEvent(item: unknown, nowMs: number): StoredEvent | undefined {
  if (item === undefined) return undefined;
  const event = storedEvent.parse(item);
  return event.expiresAt * 1000 > nowMs ? event : undefined;
}

/** Events in the ledger. */
export function makeEventStore(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return {
    /** Stores an event once; when it was there before, that one is returned and nothing is changed. */
    add: async (event: StoredEvent): Promise<StoredEvent | undefined> => {
      const Key = eventKey(event.organizationId, event.id);
      const ConditionExpression = 'attribute_not_exists(pk)';
      const write = { TableName: ledger, Item: { ...Key, ...event }, ConditionExpression };
      if (await isWritten(client, new PutCommand(write))) return undefined;
      const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
      return storedEvent.parse(answer.Item);
    },

    get: async (organizationId: string, id: string): Promise<StoredEvent | undefined> => {
      const Key = eventKey(organizationId, id);
      const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
      return readEvent(answer.Item, now());
    },

    list: listOf(client, ledger, now),

    between: betweenOf(client, ledger, now),
  };
}

/** Newest first. */
function listOf(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return async function list(organizationId: string, page: PageQuery): Promise<Page<StoredEvent>> {
    const before = page.cursor === undefined ? undefined : positionOf(page.cursor, z.tuple([eventId]))[0];
    const { items, isLast } = await queryPage(client, {
      TableName: ledger,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': eventKey(organizationId, '').pk, ':prefix': 'EVENT#' },
      ScanIndexForward: false,
      Limit: page.limit,
      ...(before === undefined ? {} : { ExclusiveStartKey: eventKey(organizationId, before) }),
    });
    const last = items.at(-1);
    return {
      data: items.map((item) => readEvent(item, now())).filter((event) => event !== undefined),
      nextCursor: isLast || last === undefined ? null : cursorAt([storedEvent.parse(last).id]),
    };
  };
}

const summaryNames = Object.keys(eventSummary.shape);

/** Events that happened within a span, oldest first, without their bodies. */
function betweenOf(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return async function between(
    organizationId: string,
    { since, until }: Span,
    page: PageQuery,
  ): Promise<Page<EventSummary>> {
    const [least, greatest] = eventIdsBetween(Date.parse(since), Date.parse(until));
    const after = page.cursor === undefined ? undefined : positionOf(page.cursor, z.tuple([eventId]))[0];
    const { items, isLast } = await queryPage(client, {
      TableName: ledger,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':pk': eventKey(organizationId, '').pk,
        ':from': eventKey(organizationId, least).sk,
        ':to': eventKey(organizationId, greatest).sk,
      },
      ProjectionExpression: summaryNames.map((name) => `#${name}`).join(', '),
      ExpressionAttributeNames: Object.fromEntries(summaryNames.map((name) => [`#${name}`, name])),
      Limit: page.limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: eventKey(organizationId, after) }),
    });
    const data = items.map((item) => eventSummary.parse(item));
    const last = data.at(-1);
    return {
      data: data.filter(({ expiresAt }) => expiresAt * 1000 > now()),
      nextCursor: isLast || last === undefined ? null : cursorAt([last.id]),
    };
  };
}

const catalogPk = 'CATALOG';

/** Event types that an operator has added. */
export function makeEventTypeStore(client: DynamoDBDocumentClient, config: string) {
  return {
    list: async (): Promise<EventType[]> => {
      const items = await queryAll(client, {
        TableName: config,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': catalogPk },
      });
      return items.map(({ type }) => eventType.parse(parseJson(String(type))));
    },

    put: async (type: EventType): Promise<void> => {
      // As JSON: an example may hold numbers that DynamoDB's do not.
      const Item = { pk: catalogPk, sk: `TYPE#${type.name}`, type: JSON.stringify(type) };
      await client.send(new PutCommand({ TableName: config, Item }));
    },

    remove: async (name: string): Promise<void> => {
      await client.send(new DeleteCommand({ TableName: config, Key: { pk: catalogPk, sk: `TYPE#${name}` } }));
    },
  };
}
