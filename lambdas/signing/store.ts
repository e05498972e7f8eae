import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { queryAll } from '../shared/store.ts';
import type { Key } from '../shared/store.ts';
import { signingKey } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';

/** Partition of the index `byExpiry` over keys that retire, sorted by the time they do. */
const expiryKey = 'SIGNING_KEY';

function keyOf({ organizationId, kid }: Pick<SigningKey, 'organizationId' | 'kid'>): Key {
  return { pk: `ORG#${organizationId}`, sk: `KEY#${kid}` };
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
      const expiry = key.retiredAt === undefined ? {} : { expiryKey, expiresOn: key.retiredAt };
      await client.send(new PutCommand({ TableName: config, Item: { ...keyOf(key), ...key, ...expiry } }));
    },

    /** Keys of all organizations that have retired before a moment (ISO time). */
    listRetired: async (before: string): Promise<SigningKey[]> => {
      const items = await queryAll(client, {
        TableName: config,
        IndexName: 'byExpiry',
        KeyConditionExpression: 'expiryKey = :key AND expiresOn < :before',
        ExpressionAttributeValues: { ':key': expiryKey, ':before': before },
      });
      return items.map((item) => signingKey.parse(item));
    },

    remove: async (key: SigningKey): Promise<void> => {
      await client.send(new DeleteCommand({ TableName: config, Key: keyOf(key) }));
    },
  };
}
