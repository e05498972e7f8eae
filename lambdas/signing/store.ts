import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { isWrittenAfterAll, queryAll } from '../shared/store.ts';
import type { Item, Key } from '../shared/store.ts';
import { shownTime } from '../shared/time.ts';
import type { CreateKeyPorts } from './create-key.ts';
import { signingKey } from './signing-key.ts';
import type { KeyAlgorithm, SigningKey } from './signing-key.ts';

/** The list of keys that retire, sorted by the time they do (index `byList`). */
const list = 'signing-keys';

function keyOf({ organizationId, kid }: Pick<SigningKey, 'organizationId' | 'kid'>): Key {
  return { pk: `ORG#${organizationId}`, sk: `KEY#${kid}` };
}

function itemOf(key: SigningKey): Item {
  const listed = key.retiredAt === undefined ? {} : { list, listOrder: key.retiredAt };
  return { ...keyOf(key), ...key, ...listed };
}

/** Signing keys in the configuration. */
export function makeSigningKeyStore(client: DynamoDBDocumentClient, config: string) {
  return {
    list: async (organizationId: string): Promise<SigningKey[]> => {
      const items = await queryAll(client, {
        TableName: config,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': `ORG#${organizationId}`, ':prefix': 'KEY#' },
        ConsistentRead: true,
      });
      return items.map((item) => signingKey.parse(item));
    },

    put: async (key: SigningKey): Promise<void> => {
      await client.send(new PutCommand({ TableName: config, Item: itemOf(key) }));
    },

    /**
     * Writes a key over the one that was read; false when its end has been set, or the key removed, since.
     *
     * @throws NotWritten when the write failed and was not made.
     */
    replace: replaceOf(client, config),

    /** Keys of all organizations that have retired before a moment (ISO time). */
    listRetired: async (before: string): Promise<SigningKey[]> => {
      const items = await queryAll(client, {
        TableName: config,
        IndexName: 'byList',
        KeyConditionExpression: '#list = :list AND listOrder < :before',
        // LIST is a reserved word.
        ExpressionAttributeNames: { '#list': 'list' },
        ExpressionAttributeValues: { ':list': list, ':before': before },
      });
      return items.map((item) => signingKey.parse(item));
    },

    remove: async (key: SigningKey): Promise<void> => {
      await client.send(new DeleteCommand({ TableName: config, Key: keyOf(key) }));
    },
  };
}

function replaceOf(client: DynamoDBDocumentClient, config: string) {
  return async function replace(before: SigningKey, after: SigningKey): Promise<boolean> {
    const { retiredAt } = before;
    const condition =
      retiredAt === undefined
        ? { ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(retiredAt)' }
        : {
            ConditionExpression: 'retiredAt = :read',
            ExpressionAttributeValues: { ':read': retiredAt },
          };
    const write = new PutCommand({ TableName: config, Item: itemOf(after), ...condition });
    return isWrittenAfterAll(client, write, async () => {
      const Key = keyOf(after);
      const there = await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }));
      return there.Item?.['retiredAt'] === after.retiredAt;
    });
  };
}

const begunKey = z.object({ keyId: z.string(), madeAt: shownTime });

/** The key that was made last for an organization, one for each algorithm; not listed among its keys. */
export function makeBegunKeyStore(client: DynamoDBDocumentClient, config: string): CreateKeyPorts['begun'] {
  const beginningOf = (organizationId: string, algorithm: KeyAlgorithm): Key => ({
    pk: `ORG#${organizationId}`,
    sk: `BEGUN-KEY#${algorithm}`,
  });
  return {
    find: async (organizationId, algorithm) => {
      const { Item } = await client.send(
        new GetCommand({
          TableName: config,
          Key: beginningOf(organizationId, algorithm),
          ConsistentRead: true,
        }),
      );
      return Item === undefined ? undefined : begunKey.parse(Item);
    },
    keep: async (organizationId, algorithm, key) => {
      const Item = { ...beginningOf(organizationId, algorithm), ...key };
      await client.send(new PutCommand({ TableName: config, Item }));
    },
  };
}
