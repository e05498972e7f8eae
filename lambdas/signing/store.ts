import { randomUUID } from 'node:crypto';
import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { isWrittenAfterAll, queryAll } from '../shared/store.ts';
import type { Item, Key } from '../shared/store.ts';
import { shownTime } from '../shared/time.ts';
import type { CreateKeyPorts } from './create-key.ts';
import type { RotatedKeys } from './rotate-keys.ts';
import { signingKey } from './signing-key.ts';
import type { KeyAlgorithm, SigningKey } from './signing-key.ts';

/** The list of keys that retire, sorted by the time they do (index `byList`). */
const list = 'signing-keys';

function keyOf({ organizationId, kid }: Pick<SigningKey, 'organizationId' | 'kid'>): Key {
  return { pk: `ORG#${organizationId}`, sk: `KEY#${kid}` };
}

/**
 * Names the newest key of an organization, and is written with every rotation: of two at once the second finds another
 * one. It is not among the keys: functions of a version before would take it for one.
 */
function newestOf(organizationId: string): Key {
  return { pk: `ORG#${organizationId}`, sk: 'NEWEST-KEY' };
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

    newestKid: async (organizationId: string): Promise<string | undefined> => {
      const Key = newestOf(organizationId);
      const { Item } = await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }));
      return Item === undefined ? undefined : newestKey.parse(Item).kid;
    },

    rotate: rotateOf(client, config),

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

const newestKey = z.object({ kid: z.string() });

function rotateOf(client: DynamoDBDocumentClient, TableName: string) {
  /**
   * Writes a rotation in one transaction; false when another has been written since its keys were read.
   *
   * @throws NotWritten when the write failed and was not made.
   */
  return async function rotate({ made, ended, newestKid }: RotatedKeys): Promise<boolean> {
    // Two rotations may have the same new key (create-key.ts): by this each knows its own.
    const rotationId = randomUUID();
    const { organizationId, kid } = made;
    const Put = { TableName, Item: { ...itemOf(made), rotationId }, ...ifAbsent };
    const head = { TableName, Item: { ...newestOf(organizationId), kid } };
    const ifNewest = {
      ConditionExpression: 'kid = :read',
      ExpressionAttributeValues: { ':read': newestKid },
    };
    const write = new TransactWriteCommand({
      ClientRequestToken: rotationId,
      TransactItems: [
        { Put },
        ...ended.map((key) => endingOf(TableName, key)),
        { Put: { ...head, ...(newestKid === undefined ? ifAbsent : ifNewest) } },
      ],
    });
    return isWrittenAfterAll(client, write, async () => {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: keyOf(made), ConsistentRead: true }),
      );
      return Item?.['rotationId'] === rotationId;
    });
  };
}

const ifAbsent = { ConditionExpression: 'attribute_not_exists(pk)' };

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** Gives a key another end, if it has the one that was read, and is there. */
function endingOf(TableName: string, { before, after }: RotatedKeys['ended'][number]): TransactItem {
  const isAsRead =
    before.retiredAt === undefined
      ? { ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(retiredAt)', values: {} }
      : { ConditionExpression: 'retiredAt = :read', values: { ':read': before.retiredAt } };
  return {
    Update: {
      ...{ TableName, Key: keyOf(before), ConditionExpression: isAsRead.ConditionExpression },
      UpdateExpression: 'SET retiredAt = :end, #list = :list, listOrder = :end',
      ExpressionAttributeNames: { '#list': 'list' },
      ExpressionAttributeValues: { ':end': after.retiredAt, ':list': list, ...isAsRead.values },
    },
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
