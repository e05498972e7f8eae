import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { spreadKey } from '../../shared/spread.ts';
import { isWritten } from '../../shared/store.ts';
import type { Now } from '../../shared/time.ts';
import { delivery } from '../delivery.ts';
import type { Delivery } from '../delivery.ts';
import { statusList } from '../ended-list.ts';
import { deliveryKey } from '../key.ts';

/**
 * Writes what became of an attempt, unless somebody has been faster: a copy of the message may have recorded it, a
 * later round may have begun, or the round before may have taken the attempt's number. It is the one write of a delivery
 * that succeeds at once, and says all that follows from it: the place where the delivery waits, or what is owed.
 *
 * When the condition does not hold, what is there is read: the SDK may have made the write twice because its first
 * answer was lost, and then it was this very caller who must send what follows.
 */
export function makeRecord(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return writing({ client, ledger, now }, '#attemptCount < :attemptCount');
}

/**
 * Writes that a delivery waits, or that it is not made, without a new attempt, under the same condition: what has been
 * attempted meanwhile is never taken back.
 */
export function makeRewrite(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return writing({ client, ledger, now }, '#attemptCount <= :attemptCount');
}

interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly ledger: string;
  readonly now: Now;
}

function writing({ client, ledger: TableName, now }: Table, isNext: string) {
  return async function write(after: Delivery): Promise<'recorded' | 'superseded'> {
    const update = updateOf(after, isNext, now());
    if (await isWritten(client, new UpdateCommand({ TableName, ...update }))) return 'recorded';
    const answer = await client.send(new GetCommand({ TableName, Key: update.Key, ConsistentRead: true }));
    const there = delivery.optional().parse(answer.Item);
    return isDeepStrictEqual(there, delivery.parse(after)) ? 'recorded' : 'superseded';
  };
}

/** What a record may have or not; whoever writes it leaves out what is no longer so. */
const optional = ['reason', 'lastError', 'nextAttemptAt', 'waiting', 'waitingAt', 'trigger', 'owes'] as const;

function updateOf(after: Delivery, isNext: string, nowMs: number) {
  const { organizationId, endpointId, eventId, status } = after;
  const absent = Object.fromEntries(optional.map((name) => [name, undefined]));
  // Sparse: only what has ended without being delivered is in the index.
  const isListed = status === 'dead' || status === 'discarded';
  const all = {
    ...absent,
    ...after,
    statusKey: isListed ? spreadKey(statusList(organizationId, status), eventId) : undefined,
  };
  const fields = Object.entries(all);
  const set = fields.filter(([, value]) => value !== undefined);
  const gone = fields.filter(([, value]) => value === undefined);
  const sets = set.map(([name]) => `#${name} = :${name}`).join(', ');
  const removes = gone.map(([name]) => `#${name}`).join(', ');
  return {
    Key: deliveryKey(endpointId, eventId),
    UpdateExpression: `SET ${sets} REMOVE ${removes}`,
    ConditionExpression:
      // What is past its time is gone, though DynamoDB may not have deleted it yet.
      `attribute_not_exists(pk) OR #expiresAt <= :nowSeconds OR (${isNext} AND ` +
      '(#round < :round OR (#round = :round AND #status = :retrying)))',
    ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
      ':retrying': 'retrying',
      ':nowSeconds': Math.floor(nowMs / 1000),
    },
  };
}

/** Notes that what a record owed has been sent. */
export function makeStrikeOff(client: DynamoDBDocumentClient, ledger: string) {
  return async function strikeOff({ endpointId, eventId, round, attemptCount }: Delivery): Promise<void> {
    await isWritten(
      client,
      new UpdateCommand({
        TableName: ledger,
        Key: deliveryKey(endpointId, eventId),
        UpdateExpression: 'SET owes = :nothing',
        // Whoever has recorded more since owes something else.
        ConditionExpression: '#round = :round AND attemptCount = :attemptCount',
        ExpressionAttributeNames: { '#round': 'round' },
        ExpressionAttributeValues: {
          ':nothing': 'nothing',
          ':round': round,
          ':attemptCount': attemptCount,
        },
      }),
    );
  };
}
