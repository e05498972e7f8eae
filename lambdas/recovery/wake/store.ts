import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isWritten } from '../../shared/store.ts';
import { noRounds, rounds } from './rounds.ts';
import type { Rounds } from './rounds.ts';

const Key = { pk: 'WAKE', sk: 'WAKE' };

/** How far whoever comes every minute has come, in the ledger. */
export function makeRoundsStore(client: DynamoDBDocumentClient, TableName: string) {
  return {
    read: async (): Promise<Rounds> => {
      const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return Item === undefined ? noRounds : rounds.parse(Item);
    },

    replace: (before: Rounds, after: Rounds): Promise<boolean> =>
      isWritten(
        client,
        new PutCommand({
          TableName,
          Item: { ...Key, ...after },
          ...(before.version === 0
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: '#version = :read',
                ExpressionAttributeNames: { '#version': 'version' },
                ExpressionAttributeValues: { ':read': before.version },
              }),
        }),
      ),
  };
}
