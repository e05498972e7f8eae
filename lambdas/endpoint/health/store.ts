import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isWritten, makeBatchedRead } from '../../shared/store.ts';
import type { Key } from '../../shared/store.ts';
import { expiryOf, isoTime } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import { dueAt } from '../../shared/waiting.ts';
import { health, well } from './health.ts';
import type { Health } from './health.ts';

/** Key of what we have observed of an endpoint, in the ledger. */
export function healthKey(endpointId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: 'HEALTH' };
}

/** Health in the ledger. */
export function makeHealthStore(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  // Half a read unit: what depends on its being the latest is written under the condition that it is.
  const readBatched = makeBatchedRead(client, ledger, { isConsistent: false });
  return {
    /** What was known a moment ago, cheaply; reads of one batch travel together. */
    read: async (endpointId: string): Promise<Health> => healthOf(await readBatched(healthKey(endpointId))),

    /** The latest version. */
    readLatest: async (endpointId: string): Promise<Health> => {
      const Key = healthKey(endpointId);
      const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
      return healthOf(answer.Item);
    },

    /** Writes health over the version that was read; false when somebody has been faster. */
    replace: async (endpointId: string, before: Health, after: Health): Promise<boolean> => {
      const version = before.version + 1;
      const { expiresAt, ...rest } = after;
      const Item = {
        ...{ ...healthKey(endpointId), ...rest, version, ...placeOf(endpointId, after, now()) },
        // Rows are ended by the drain, which then has the end written anew.
        ...(expiresAt === undefined || after.backlog !== undefined ? {} : { expiresAt }),
      };
      const condition =
        before.version === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: '#version = :read',
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':read': before.version },
            };
      return isWritten(client, new PutCommand({ TableName: ledger, Item, ...condition }));
    },

    forget: forgetOf(client, ledger, now),
  };
}

/**
 * Lets go of what was known of an endpoint that is no more; what waits for it is looked after now.
 *
 * Its end is written even where nothing is known, and as a version of its own: an attempt that began before still has
 * something to note when it ends, and finds that it must keep the end. By the day on which DynamoDB deletes the item no
 * attempt is under way (functions remember an endpoint for half a minute), and a drain's last write ends it anew.
 */
function forgetOf(client: DynamoDBDocumentClient, TableName: string, now: Now) {
  return async function forget(endpointId: string): Promise<void> {
    const common = { TableName, Key: healthKey(endpointId) };
    await isWritten(
      client,
      new UpdateCommand({
        ...common,
        UpdateExpression:
          'SET expiresAt = :soon, failures = if_not_exists(failures, :none), ' +
          'warned = if_not_exists(warned, :none), unsaid = if_not_exists(unsaid, :nothing) ADD #version :one',
        ConditionExpression: 'attribute_not_exists(backlog)',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: {
          ...{ ':soon': expiryOf(now(), 1), ':none': 0, ':nothing': [], ':one': 1 },
        },
      }),
    );
    const { waitingAt } = dueAt(now() + wakerMs, endpointId);
    await isWritten(
      client,
      new UpdateCommand({
        ...common,
        UpdateExpression: 'SET backlog.dueAt = :now, waitingAt = :place ADD #version :one',
        ConditionExpression: 'attribute_exists(backlog)',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':now': isoTime(now()), ':place': waitingAt, ':one': 1 },
      }),
    );
  };
}

/**
 * Where somebody who comes every minute finds an endpoint that has something waiting, or unsaid. What is due sooner
 * than that has a message of its own, and is found here when that was lost.
 */
function placeOf(endpointId: string, { backlog, unsaid, sayAfter }: Health, nowMs: number) {
  const dueMs = Math.min(
    backlog === undefined ? Infinity : Date.parse(backlog.dueAt),
    unsaid.length === 0 ? Infinity : Date.parse(sayAfter ?? isoTime(nowMs)),
  );
  if (dueMs === Infinity) return {};
  return { endpointId, ...dueAt(Math.max(dueMs, nowMs + wakerMs), endpointId) };
}

/**
 * Nearer than this, whoever comes every minute may have looked already: he looks a minute ahead (recovery/wake), and
 * clocks, and the index, may be behind by some of the other.
 */
const wakerMs = 120_000;

function healthOf(item: unknown): Health {
  return item === undefined ? well : health.parse(item);
}
