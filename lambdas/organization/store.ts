import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isWritten } from '../shared/store.ts';
import type { Key } from '../shared/store.ts';
import { organization } from './organization.ts';
import type { Organization } from './organization.ts';

/** Key of an organization in the configuration. */
export function organizationKey(id: string): Key {
  return { pk: `ORG#${id}`, sk: 'ORG' };
}

/** Organizations in the configuration. */
export function makeOrganizationStore(client: DynamoDBDocumentClient, config: string) {
  return {
    get: async (id: string): Promise<Organization | undefined> => {
      const answer = await client.send(new GetCommand({ TableName: config, Key: organizationKey(id) }));
      return answer.Item === undefined ? undefined : organization.parse(answer.Item);
    },

    /** Writes an organization over the one that was read, or a new one; false when somebody has been faster. */
    replace: async (before: Organization | undefined, after: Organization): Promise<boolean> => {
      const Item = { ...organizationKey(after.id), ...after };
      const condition =
        before === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'updatedAt = :read',
              ExpressionAttributeValues: { ':read': before.updatedAt },
            };
      return isWritten(client, new PutCommand({ TableName: config, Item, ...condition }));
    },
  };
}
