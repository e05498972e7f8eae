import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isWritten } from '../../shared/store.ts';
import { isoTime } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import { storedEvent } from '../event.ts';
import type { StoredEvent } from '../event.ts';
import { eventKey, queuedMsMax, refusedIndex } from '../store.ts';

/** Each look but the first is at what somebody has done since the one before. */
const triesMax = 5;

/** Whether another call has queued the same event, and may say yet that the bus has not taken it. */
function isQueuedByOthers(before: StoredEvent, { fingerprint, queuedBy }: StoredEvent): boolean {
  const isSame = before.status === 'queued' && before.fingerprint === fingerprint;
  return isSame && before.queuedBy !== queuedBy && before.isPublishedAgain !== true;
}

/** Events that the API has published, until they are routed. */
export function makePublicationStore(client: DynamoDBDocumentClient, TableName: string, now: Now) {
  return {
    queue: queueOf({ client, TableName, now }),

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
        // Perhaps the bus has taken it after all, or somebody else has published it, and was not refused.
        ConditionExpression:
          '#status = :queued AND queuedBy = :own AND attribute_not_exists(isPublishedAgain)',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':queued': 'queued', ':own': event.queuedBy ?? '' },
      };
      await isWritten(client, new PutCommand(write));
    },
  };
}

interface Ledger {
  readonly client: DynamoDBDocumentClient;
  readonly TableName: string;
  readonly now: Now;
}

function queueOf({ client, TableName, now }: Ledger) {
  return async function queue(event: StoredEvent): Promise<StoredEvent | undefined> {
    const Key = eventKey(event.organizationId, event.id);
    const write = {
      TableName,
      Item: { ...Key, ...event },
      ConditionExpression:
        'attribute_not_exists(pk) OR expiresAt <= :now OR #status = :refused OR ' +
        '(#status = :queued AND receivedAt <= :lost)',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ...{ ':now': Math.floor(now() / 1000), ':lost': isoTime(now() - queuedMsMax) },
        ...{ ':refused': 'refused', ':queued': 'queued' },
      },
    };
    for (let tries = 1; ; tries += 1) {
      if (await isWritten(client, new PutCommand(write))) return undefined;
      const answer = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      const before = storedEvent.parse(answer.Item);
      if (!isQueuedByOthers(before, event) || (await mark({ client, TableName, now }, before))) return before;
      // It was routed, or withdrawn, between the two.
      if (tries === triesMax) throw new Error('what is queued under this key changes at each look');
    }
  };
}

/** Marks one that is queued as published again; false when it is not queued any more. */
function mark(
  { client, TableName }: Ledger,
  { organizationId, id, queuedBy }: StoredEvent,
): Promise<boolean> {
  const isTheSame = queuedBy === undefined ? 'attribute_not_exists(queuedBy)' : 'queuedBy = :by';
  const write = {
    TableName,
    Key: eventKey(organizationId, id),
    UpdateExpression: 'SET isPublishedAgain = :true',
    ConditionExpression: `#status = :queued AND ${isTheSame}`,
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: {
      ...{ ':true': true, ':queued': 'queued' },
      ...(queuedBy === undefined ? {} : { ':by': queuedBy }),
    },
  };
  return isWritten(client, new UpdateCommand(write));
}
