import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Delivery } from '../lambdas/delivery/delivery.ts';
import { deliveryKey } from '../lambdas/delivery/key.ts';
import { packBody } from '../lambdas/event/body.ts';
import { eventIdOf } from '../lambdas/event/event-id.ts';
import { bodyOf } from '../lambdas/event/event.ts';
import type { StoredEvent } from '../lambdas/event/event.ts';
import { eventKey } from '../lambdas/event/store.ts';
import { unrecordedMsMax } from '../lambdas/delivery/hold.ts';
import { expiryOf, isoTime } from '../lambdas/shared/time.ts';

export interface History {
  readonly organizationId: string;
  readonly endpointId: string;
  readonly count: number;
  /** Whether the delivery of an event, by its number, was never made. */
  readonly isMissing: (number: number) => boolean;
}

/** The ledger of a running stack, as somebody with access to the table sees it. */
export async function openLedger(endpoint: string) {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const plain = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  const client = DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
  const { TableNames = [] } = await client.send(new ListTablesCommand());
  const table = TableNames.find((name) => name.includes('Ledger'));
  if (table === undefined) throw new Error('The stack has no ledger');
  return {
    write: (history: History) => write(client, table, history),
    readUnits: (pk: string, isConsistent: boolean) => readUnits(client, table, { pk, isConsistent }),
    close: () => {
      plain.destroy();
    },
  };
}

type Item = Readonly<Record<string, unknown>>;

/**
 * Events of ten hours, each with its delivery, but for those that are missing; the youngest is old enough to count as
 * missing, and not as being on its way.
 *
 * @returns the ids of the events that were not delivered
 */
async function write(client: DynamoDBDocumentClient, table: string, history: History): Promise<string[]> {
  const untilMs = Date.now() - unrecordedMsMax - 60_000;
  const missing: string[] = [];
  let batch: Item[] = [];
  let writing: Promise<void>[] = [];
  for (let number = 0; number < history.count; number += 1) {
    const timeMs = untilMs - Math.floor(((history.count - number) * 36_000_000) / history.count);
    const event = eventOf(history, number, timeMs);
    batch.push({ ...eventKey(event.organizationId, event.id), ...event });
    if (history.isMissing(number)) missing.push(event.id);
    else batch.push({ ...deliveryKey(history.endpointId, event.id), ...deliveredOf(event, history) });
    if (batch.length < 24 && number < history.count - 1) continue;
    writing.push(writeBatch(client, table, batch));
    batch = [];
    if (writing.length < 8) continue;
    await Promise.all(writing);
    writing = [];
  }
  await Promise.all(writing);
  return missing;
}

async function writeBatch(
  client: DynamoDBDocumentClient,
  table: string,
  items: readonly Item[],
): Promise<void> {
  const requests = items.map((Item) => ({ PutRequest: { Item } }));
  const answer = await client.send(new BatchWriteCommand({ RequestItems: { [table]: requests } }));
  if (Object.keys(answer.UnprocessedItems ?? {}).length > 0) throw new Error('DynamoDB left items unwritten');
}

function eventOf({ organizationId, endpointId }: History, number: number, timeMs: number): StoredEvent {
  const [type, timestamp] = ['pipeline.run.failed', isoTime(timeMs)];
  const id = eventIdOf({ organizationId, timeMs, busEventId: `bench-${number}` });
  const dataText = JSON.stringify({ runId: number });
  const body = packBody(bodyOf({ id, type, timestamp, organizationId, resource: undefined, dataText }));
  if (body === undefined) throw new Error('The body is too large');
  return {
    ...{ id, organizationId, type, category: 'pipeline_execution', timestamp, receivedAt: timestamp, body },
    ...{ source: 'bench', status: 'accepted', endpoints: [endpointId], skipped: [] },
    expiresAt: expiryOf(timeMs, 30),
  };
}

function deliveredOf(
  { id, organizationId, type, timestamp }: StoredEvent,
  { endpointId }: History,
): Delivery {
  const how = { number: 1, round: 1, trigger: 'scheduled', outcome: 'delivered' } as const;
  return {
    ...{ organizationId, endpointId, eventId: id, eventType: type, status: 'delivered' },
    ...{ round: 1, roundStart: 0, attemptCount: 1, updatedAt: timestamp },
    attempts: [{ ...how, at: timestamp, durationMs: 42, statusCode: 204 }],
    expiresAt: expiryOf(Date.parse(timestamp), 30),
  };
}

/** What it costs to read a partition once in pages of a hundred, as a job does. */
async function readUnits(
  client: DynamoDBDocumentClient,
  TableName: string,
  { pk, isConsistent }: { pk: string; isConsistent: boolean },
): Promise<{ queries: number; units: number }> {
  let [queries, units] = [0, 0];
  let from: Item | undefined;
  do {
    const answer = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        ConsistentRead: isConsistent,
        ReturnConsumedCapacity: 'TOTAL',
        Limit: 100,
        ExclusiveStartKey: from,
      }),
    );
    queries += 1;
    units += answer.ConsumedCapacity?.CapacityUnits ?? 0;
    from = answer.LastEvaluatedKey;
  } while (from !== undefined);
  return { queries, units };
}
