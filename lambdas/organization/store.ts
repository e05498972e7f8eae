import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { organizationId } from '../shared/identifier.ts';
import { cursorAt, positionOf } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { isPutAfterAll, queryPage } from '../shared/store.ts';
import type { Item, Key } from '../shared/store.ts';
import { organization } from './organization.ts';
import type { Organization } from './organization.ts';

/** Key of an organization in the configuration. */
export function organizationKey(id: string): Key {
  return { pk: `ORG#${id}`, sk: 'ORG' };
}

/** The list of all organizations, sorted by id (index `byList`). */
const list = 'organizations';

/** An organization as it stands in the configuration. */
export function organizationItem(stored: Organization): Item & Key {
  return { ...organizationKey(stored.id), ...stored, list, listOrder: stored.id };
}

/** Organizations in the configuration. */
export function makeOrganizationStore(client: DynamoDBDocumentClient, config: string) {
  return {
    get: async (id: string): Promise<Organization | undefined> => {
      const Key = organizationKey(id);
      // Whoever was answered a moment ago finds what he was answered.
      const answer = await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }));
      return answer.Item === undefined ? undefined : organization.parse(answer.Item);
    },

    /**
     * Writes an organization over the one that was read, or a new one; false when somebody has been faster.
     *
     * @throws NotWritten when the write failed and was not made.
     */
    replace: async (before: Organization | undefined, after: Organization): Promise<boolean> => {
      const Item = organizationItem(after);
      const condition =
        before === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'updatedAt = :read',
              ExpressionAttributeValues: { ':read': before.updatedAt },
            };
      return isPutAfterAll(client, { TableName: config, Item, ...condition });
    },

    list: listOf(client, config),
  };
}

/** All organizations, by their ids; a new one is in it a moment later. */
function listOf(client: DynamoDBDocumentClient, config: string) {
  return async function listOrganizations({ limit, cursor }: PageQuery): Promise<Page<Organization>> {
    const after = cursor === undefined ? undefined : positionOf(cursor, z.tuple([organizationId]))[0];
    const { items, isLast } = await queryPage(client, {
      TableName: config,
      IndexName: 'byList',
      KeyConditionExpression: '#list = :list',
      // LIST is a reserved word.
      ExpressionAttributeNames: { '#list': 'list' },
      ExpressionAttributeValues: { ':list': list },
      Limit: limit,
      ...(after === undefined
        ? {}
        : { ExclusiveStartKey: { list, listOrder: after, ...organizationKey(after) } }),
    });
    const data = items.map((item) => organization.parse(item));
    const last = data.at(-1);
    return { data, nextCursor: isLast || last === undefined ? null : cursorAt([last.id]) };
  };
}
