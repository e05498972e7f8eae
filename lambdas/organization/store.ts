import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
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

    put: async (changed: Organization): Promise<void> => {
      const Item = { ...organizationKey(changed.id), ...changed };
      await client.send(new PutCommand({ TableName: config, Item }));
    },
  };
}
