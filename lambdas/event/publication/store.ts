import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isWritten } from '../../shared/store.ts';
import type { Now } from '../../shared/time.ts';
import { storedEvent } from '../event.ts';
import type { StoredEvent } from '../event.ts';
import { eventKey, refusedIndex } from '../store.ts';

/** Events that the API has published, until they are routed. */
export function makePublicationStore(client: DynamoDBDocumentClient, TableName: string, now: Now) {
  return {
    queue: async (event: StoredEvent): Promise<StoredEvent | undefined> => {
      const Key = eventKey(event.organizationId, event.id);
      const write = {
        TableName,
        Item: { ...Key, ...event },
        ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now OR #status = :refused',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':now': Math.floor(now() / 1000), ':refused': 'refused' },
      };
      if (await isWritten(client, new PutCommand(write))) return undefined;
      const answer = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return storedEvent.parse(answer.Item);
    },

    withdraw: async (event: StoredEvent): Promise<void> => {
      const why = {
        status: 'refused',
        reason: 'not_published',
        explanation: 'The bus did not take it, and its publisher was answered by an error: publish it again.',
      };
      const Item = {
        ...eventKey(event.organizationId, event.id),
        ...{ ...event, ...why },
        ...refusedIndex(event),
      };
      const write = {
        TableName,
        Item,
        // Perhaps the bus has taken it after all, or somebody else has published it meanwhile.
        ConditionExpression: '#status = :queued AND receivedAt = :receivedAt',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':queued': 'queued', ':receivedAt': event.receivedAt },
      };
      await isWritten(client, new PutCommand(write));
    },
  };
}
