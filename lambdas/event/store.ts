import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { eventId } from '../shared/identifier.ts';
import { etagOf } from '../shared/etag.ts';
import { parseJson } from '../shared/json.ts';
import type { OpenSpan } from '../shared/open-span.ts';
import { cursorAt, positionOf } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import {
  isPutAfterAll,
  isWritten,
  isWrittenAfterAll,
  makeBatchedRead,
  queryAll,
  queryPage,
} from '../shared/store.ts';
import type { Key } from '../shared/store.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { eventType } from './event-type.ts';
import type { EventType } from './event-type.ts';
import { eventIdsBetween } from './event-id.ts';
import { eventIdsOf, isAskedFor } from './event-list.ts';
import type { EventListQuery } from './event-list.ts';
import { eventWithoutBody, storedEvent } from './event.ts';
import type { EventSummary, Span, StoredEvent } from './event.ts';

/** Key of an event in the ledger. */
export function eventKey(organizationId: string, id: string): Key {
  return { pk: `ORG#${organizationId}`, sk: `EVENT#${id}` };
}

/**
 * Reads an item of the ledger as an event that may be delivered; one past its time is gone, though DynamoDB may not have
 * deleted it yet. One that waits to be routed is not there yet.
 */
export function readEvent(item: unknown, nowMs: number): StoredEvent | undefined {
  const event = readAnyEvent(item, nowMs);
  return event?.status === 'queued' || event?.status === 'lost' ? undefined : event;
}

/** No queue keeps a message for longer: one that is queued for so long is lost. */
export const queuedMsMax = 14 * 86_400_000;

const lost = {
  status: 'lost',
  explanation: 'Nothing has come of it in 14 days, and no queue keeps it any longer: publish it again.',
} as const;

/** Reads an item as an event for who asks for it. */
function readAnyEvent(item: unknown, nowMs: number): StoredEvent | undefined {
  if (item === undefined) return undefined;
  const event = storedEvent.parse(item);
  if (event.expiresAt * 1000 <= nowMs) return undefined;
  const isLost = event.status === 'queued' && Date.parse(event.receivedAt) + queuedMsMax <= nowMs;
  return isLost ? { ...event, ...lost } : event;
}

/** Events in the ledger. */
export function makeEventStore(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return {
    /**
     * Stores an event once; when it was there before, that one is returned and nothing is changed. One past its time
     * is gone: DynamoDB deletes it within days only (TTL), and until then it would swallow what is published again.
     * One that was refused gives way, and so does one that the API has queued, if it says the same or is lost.
     */
    add: async (event: StoredEvent): Promise<StoredEvent | undefined> => {
      const Key = eventKey(event.organizationId, event.id);
      const Item = { ...Key, ...event, ...(event.status === 'refused' ? refusedIndex(event) : {}) };
      const write = {
        TableName: ledger,
        Item,
        ConditionExpression:
          'attribute_not_exists(pk) OR expiresAt <= :now OR #status = :refused OR ' +
          '(#status = :queued AND (fingerprint = :fingerprint OR receivedAt <= :lost))',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':now': Math.floor(now() / 1000),
          ':lost': isoTime(now() - queuedMsMax),
          ...{ ':refused': 'refused', ':queued': 'queued', ':fingerprint': event.fingerprint ?? '' },
        },
      };
      if (await isWritten(client, new PutCommand(write))) return undefined;
      const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
      return storedEvent.parse(answer.Item);
    },

    get: async (organizationId: string, id: string): Promise<StoredEvent | undefined> => {
      const Key = eventKey(organizationId, id);
      const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
      return readAnyEvent(answer.Item, now());
    },

    list: listOf(client, ledger, now),

    between: betweenOf(client, ledger, now),
  };
}

/** Where refused events stand in the sparse index of the ledger: they are few, and found without reading all others. */
export function refusedIndex({ organizationId, id }: Pick<StoredEvent, 'organizationId' | 'id'>) {
  return { statusKey: `ORG#${organizationId}#refused`, eventId: id };
}

/** Newest first. A page reads at most `limit` events, so a filtered one may be short, or empty, and have a next one. */
function listOf(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  const read = makeBatchedRead(client, ledger);
  return async function list(organizationId: string, query: EventListQuery): Promise<Page<StoredEvent>> {
    const { limit, cursor } = query;
    const before = cursor === undefined ? undefined : positionOf(cursor, z.tuple([eventId]))[0];
    const inTable = { TableName: ledger, ScanIndexForward: false, Limit: limit };
    const input =
      query.status === 'refused'
        ? refusedOf(organizationId, query, before)
        : allOf(organizationId, query, before);
    const { items, isLast } = await queryPage(client, { ...inTable, ...input });
    const ids = items.map((item) => z.object({ sk: eventSortKey }).parse(item).sk.slice('EVENT#'.length));
    const whole =
      query.status === 'refused'
        ? await Promise.all(ids.map((id) => read(eventKey(organizationId, id))))
        : items;
    const last = ids.at(-1);
    return {
      data: whole
        .map((item) => readAnyEvent(item, now()))
        .filter((event) => event !== undefined)
        .filter((event) => isAskedFor(query, event)),
      nextCursor: isLast || last === undefined ? null : cursorAt([last]),
    };
  };
}

const eventSortKey = z.string().startsWith('EVENT#');

function allOf(organizationId: string, span: OpenSpan, before: string | undefined) {
  const [least, greatest] = eventIdsOf(span);
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': eventKey(organizationId, '').pk,
      ':from': eventKey(organizationId, least).sk,
      ':to': eventKey(organizationId, greatest).sk,
    },
    ...(before === undefined ? {} : { ExclusiveStartKey: eventKey(organizationId, before) }),
  };
}

function refusedOf(organizationId: string, span: OpenSpan, before: string | undefined) {
  const [least, greatest] = eventIdsOf(span);
  const at = (id: string) => ({ ...refusedIndex({ organizationId, id }), ...eventKey(organizationId, id) });
  return {
    IndexName: 'byStatus',
    KeyConditionExpression: 'statusKey = :status AND eventId BETWEEN :from AND :to',
    ExpressionAttributeValues: { ':status': at('').statusKey, ':from': least, ':to': greatest },
    ...(before === undefined ? {} : { ExclusiveStartKey: at(before) }),
  };
}

const summaryNames = Object.keys(eventWithoutBody.shape);

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
    const data = items.map((item) => eventWithoutBody.parse(item));
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
        // What is read here is remembered by its version: one that is a moment old would be for as long as that lasts.
        ConsistentRead: true,
      });
      return items.map(({ type }) => eventType.parse(parseJson(String(type))));
    },

    /**
     * Writes a type over the one that was read, or a new one; false when somebody has been faster.
     *
     * @throws NotWritten when the write failed and was not made.
     */
    replace: async (before: EventType | undefined, after: EventType): Promise<boolean> => {
      // As JSON: an example may hold numbers that DynamoDB's do not.
      const type = JSON.stringify(after);
      const Item = { pk: catalogPk, sk: `TYPE#${after.name}`, type, etag: etagOf(after) };
      const condition =
        before === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'etag = :read',
              ExpressionAttributeValues: { ':read': etagOf(before) },
            };
      return isPutAfterAll(client, { TableName: config, Item, ...condition });
    },

    /**
     * Removes a type that is as it was read; false when it has been changed since. One that is gone is removed.
     *
     * @throws NotWritten when the write failed and it is still there.
     */
    remove: removeOf(client, config),
  };
}

function removeOf(client: DynamoDBDocumentClient, config: string) {
  return async function remove(before: EventType): Promise<boolean> {
    const Key = { pk: catalogPk, sk: `TYPE#${before.name}` };
    const condition = {
      ConditionExpression: 'etag = :read',
      ExpressionAttributeValues: { ':read': etagOf(before) },
    };
    const write = new DeleteCommand({ TableName: config, Key, ...condition });
    return isWrittenAfterAll(client, write, async () => {
      const there = await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }));
      return there.Item === undefined;
    });
  };
}
