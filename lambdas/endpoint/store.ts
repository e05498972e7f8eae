import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { organization } from '../organization/organization.ts';
import { organizationKey } from '../organization/store.ts';
import { endpointId } from '../shared/identifier.ts';
import { cursorAt, positionOf } from '../shared/page.ts';
import type { Page } from '../shared/page.ts';
import { isPutAfterAll, queryAll, queryCount, queryPage } from '../shared/store.ts';
import type { Item, Key } from '../shared/store.ts';
import { expiryOf } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { isAskedFor } from './endpoint-list.ts';
import type { EndpointsQuery } from './endpoint-list.ts';
import { endpoint } from './endpoint.ts';
import type { Subscribers } from './subscribers.ts';
import type { Endpoint } from './endpoint.ts';

/** Key of an endpoint in the configuration. */
export function endpointKey(organizationId: string, id: string): Key {
  return { pk: `ORG#${organizationId}`, sk: `ENDPOINT#${id}` };
}

/** The list of endpoints that have a client certificate, sorted by its end (index `byList`). */
const list = 'certificates';

/** An endpoint as it stands in the configuration. */
export function endpointItem(stored: Endpoint): Item & Key {
  const { clientCertificate } = stored;
  return {
    ...endpointKey(stored.organizationId, stored.id),
    ...stored,
    ...(clientCertificate === undefined ? {} : { list, listOrder: clientCertificate.notAfter }),
  };
}

/**
 * An item as an endpoint. One whose removal has begun is gone for everybody but who removes it: its secrets may be gone,
 * and nothing can be signed for it any more.
 */
export function readEndpoint(item: Item | undefined): Endpoint | undefined {
  return item?.['isBeingRemoved'] === true ? undefined : endpoint.optional().parse(item);
}

/** Endpoints in the configuration. */
export function makeEndpointStore(client: DynamoDBDocumentClient, config: string) {
  const itemOf = async (organizationId: string, id: string): Promise<Item | undefined> => {
    const Key = endpointKey(organizationId, id);
    // Whoever was answered a moment ago finds what he was answered.
    const answer = await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }));
    return answer.Item;
  };
  return {
    get: async (organizationId: string, id: string): Promise<Endpoint | undefined> => {
      return readEndpoint(await itemOf(organizationId, id));
    },

    /** The same, also when its removal has begun. */
    getToRemove: async (organizationId: string, id: string): Promise<Endpoint | undefined> => {
      return endpoint.optional().parse(await itemOf(organizationId, id));
    },

    /** Writes an endpoint that is new. */
    add: async (added: Endpoint): Promise<void> => {
      const Item = endpointItem(added);
      const ConditionExpression = 'attribute_not_exists(pk)';
      await client.send(new PutCommand({ TableName: config, Item, ConditionExpression }));
    },

    /**
     * Writes an endpoint over the one that was read; false when it has been changed or removed since. Who took a
     * lost answer for a lost race would retire the very secret that he has just put to use.
     *
     * @throws NotWritten when the write failed and was not made.
     */
    replace: async (before: Endpoint, after: Endpoint): Promise<boolean> => {
      const Item = endpointItem(after);
      const ConditionExpression = 'updatedAt = :read AND attribute_not_exists(isBeingRemoved)';
      const ExpressionAttributeValues = { ':read': before.updatedAt };
      return isPutAfterAll(client, {
        ...{ TableName: config, Item, ConditionExpression, ExpressionAttributeValues },
      });
    },

    startRemoval: startRemovalOf(client, config),

    remove: async (organizationId: string, id: string): Promise<void> => {
      const Key = endpointKey(organizationId, id);
      await client.send(new DeleteCommand({ TableName: config, Key }));
    },

    count: countOf(client, config),

    idsNamed: idsNamedOf(client, config),

    list: listOf(client, config),
  };
}

/**
 * Marks an endpoint that is as it was read as one whose removal has begun; false when it has been changed or removed
 * since. It keeps its ETag, so that the same call can be made again, and loses its place among the certificates.
 *
 * @throws NotWritten when the write failed and was not made.
 */
function startRemovalOf(client: DynamoDBDocumentClient, config: string) {
  return async function startRemoval(before: Endpoint): Promise<boolean> {
    return isPutAfterAll(client, {
      TableName: config,
      Item: { ...before, ...endpointKey(before.organizationId, before.id), isBeingRemoved: true },
      ConditionExpression: 'updatedAt = :read',
      ExpressionAttributeValues: { ':read': before.updatedAt },
    });
  };
}

/** How many endpoints an organization has; one that was made a moment ago may not be among them. */
function countOf(client: DynamoDBDocumentClient, config: string) {
  return async function count(organizationId: string): Promise<number> {
    return queryCount(client, {
      TableName: config,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      FilterExpression: 'attribute_not_exists(isBeingRemoved)',
      ExpressionAttributeValues: { ':pk': endpointKey(organizationId, '').pk, ':prefix': 'ENDPOINT#' },
    });
  };
}

/** Ids of the endpoints that have a name: reads all of the organization's, and only for who gives one. */
function idsNamedOf(client: DynamoDBDocumentClient, config: string) {
  return async function idsNamed(organizationId: string, name: string): Promise<string[]> {
    const items = await queryAll(client, {
      TableName: config,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      FilterExpression: '#name = :name AND attribute_not_exists(isBeingRemoved)',
      ProjectionExpression: 'id',
      // NAME is a reserved word.
      ExpressionAttributeNames: { '#name': 'name' },
      ExpressionAttributeValues: {
        ':pk': endpointKey(organizationId, '').pk,
        ':prefix': 'ENDPOINT#',
        ':name': name,
      },
      ConsistentRead: true,
    });
    return items.map((item) => z.object({ id: endpointId }).parse(item).id);
  };
}

/** Oldest first, as ids sort. A filtered page may be short, or empty, and have a next one. */
function listOf(client: DynamoDBDocumentClient, config: string) {
  return async function list(organizationId: string, page: EndpointsQuery): Promise<Page<Endpoint>> {
    const after = page.cursor === undefined ? undefined : positionOf(page.cursor, z.tuple([endpointId]))[0];
    const { items, isLast } = await queryPage(client, {
      TableName: config,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': endpointKey(organizationId, '').pk, ':prefix': 'ENDPOINT#' },
      Limit: page.limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: endpointKey(organizationId, after) }),
    });
    const last = endpoint.optional().parse(items.at(-1));
    return {
      data: items
        .map(readEndpoint)
        .filter((one) => one !== undefined)
        .filter((one) => isAskedFor(page, one)),
      nextCursor: isLast || last === undefined ? null : cursorAt([last.id]),
    };
  };
}

/** An organization with all its endpoints, by one Query: what routing an event needs. */
export function makeReadSubscribers(client: DynamoDBDocumentClient, config: string) {
  return async function readSubscribers(organizationId: string): Promise<Subscribers> {
    const { pk, sk } = organizationKey(organizationId);
    const items = await queryAll(client, {
      TableName: config,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      // An event may follow its organization's creation within milliseconds.
      ConsistentRead: true,
    });
    const own = items.find((item) => item['sk'] === sk);
    const all = items.filter(isEndpoint);
    const leaving = all
      .filter((item) => readEndpoint(item) === undefined)
      .map((item) => endpoint.parse(item));
    return {
      organization: own === undefined ? undefined : organization.parse(own),
      endpoints: all.map(readEndpoint).filter((one) => one !== undefined),
      ...(leaving.length === 0 ? {} : { leaving }),
    };
  };
}

function isEndpoint(item: Item): boolean {
  return typeof item['sk'] === 'string' && item['sk'].startsWith('ENDPOINT#');
}

/** Endpoints whose client certificate ends before a moment, the nearest first. */
export function makeListExpiring(client: DynamoDBDocumentClient, config: string) {
  return async function listExpiring(before: string): Promise<Endpoint[]> {
    const items = await queryAll(client, {
      TableName: config,
      IndexName: 'byList',
      KeyConditionExpression: '#list = :list AND listOrder < :before',
      // LIST is a reserved word.
      ExpressionAttributeNames: { '#list': 'list' },
      ExpressionAttributeValues: { ':list': list, ':before': before },
    });
    return items.map((item) => endpoint.parse(item));
  };
}

/** Of which certificates their owners have been warned: something that we observe, so it stands in the ledger. */
export function makeWarningStore(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  const keyOf = (endpointId: string, versionId: string): Key => ({
    pk: `ENDPOINT#${endpointId}`,
    sk: `CERTIFICATE#${versionId}`,
  });
  return {
    last: async (endpointId: string, versionId: string): Promise<number | undefined> => {
      const Key = keyOf(endpointId, versionId);
      const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
      return z.number().optional().parse(answer.Item?.['days']);
    },
    keep: async (endpointId: string, versionId: string, days: number): Promise<void> => {
      // The first warning comes 30 days ahead: twice that outlives the certificate.
      const Item = { ...keyOf(endpointId, versionId), days, expiresAt: expiryOf(now(), 60) };
      await client.send(new PutCommand({ TableName: ledger, Item }));
    },
  };
}
