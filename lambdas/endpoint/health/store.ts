import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import DataLoader from 'dataloader';
import { z } from 'zod';
import { isWritten, makeBatchedRead } from '../../shared/store.ts';
import type { Key } from '../../shared/store.ts';
import { expiryOf } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import { hasBacklog, health, well } from './health.ts';
import type { Health } from './health.ts';
import { lineMs } from './pace.ts';
import type { Reserve } from './pace.ts';

/** Key of what we have observed of an endpoint, in the ledger. */
export function healthKey(endpointId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: 'HEALTH' };
}

function paceKey(endpointId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: 'PACE' };
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
      const Item = { ...healthKey(endpointId), ...after, version: before.version + 1 };
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

    /** Lets go of what was known of an endpoint that is no more. */
    forget: async (endpointId: string): Promise<void> => {
      await isWritten(
        client,
        new UpdateCommand({
          TableName: ledger,
          Key: healthKey(endpointId),
          UpdateExpression: 'SET expiresAt = :soon',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':soon': expiryOf(now(), 1) },
        }),
      );
    },
  };
}

/** Whether deliveries have a reason to wait for an endpoint: a pause, the time after it, or a line. */
export function makeIsWaiting(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  const read = makeBatchedRead(client, ledger);
  return async function isWaiting(endpointId: string): Promise<boolean> {
    const items = [read(healthKey(endpointId)), read(paceKey(endpointId))] as const;
    const [healthItem, paceItem] = await Promise.all(items);
    const nextMs = z.number().optional().parse(paceItem?.['nextMs']) ?? 0;
    return hasBacklog(healthOf(healthItem), now()) || nextMs > now() - lineMs;
  };
}

function healthOf(item: unknown): Health {
  return item === undefined ? well : health.parse(item);
}

/**
 * Gives away slots of endpoints that are held to a pace, in one line for all workers: the item holds the next free
 * one. Reservations for one endpoint that are made in the same turn of the event loop are one write.
 *
 * @returns when the attempt may go, in milliseconds since 1970; `undefined` when the line is full.
 */
export function makeReserve(client: DynamoDBDocumentClient, ledger: string, now: Now): Reserve {
  const take = takeFrom(client, ledger, now);
  const lines = new DataLoader<Wanted, number | undefined>((wanted) => slotsFor(take, wanted), {
    cache: false,
    batchScheduleFn: setImmediate,
  });
  return async function reserve(endpointId, perSecond) {
    return lines.load({ endpointId, spacingMs: 1_000 / perSecond });
  };
}

interface Wanted {
  readonly endpointId: string;
  readonly spacingMs: number;
}

type Take = (endpointId: string, lengthMs: number) => Promise<number | undefined>;

async function slotsFor(take: Take, wanted: readonly Wanted[]): Promise<(number | Error | undefined)[]> {
  const next = new Map<string, number | Error | undefined>();
  const ofEach = [...Map.groupBy(wanted, ({ endpointId }) => endpointId)];
  await Promise.all(
    ofEach.map(async ([endpointId, own]) => {
      const lengthMs = own.reduce((sum, { spacingMs }) => sum + spacingMs, 0);
      next.set(endpointId, await take(endpointId, lengthMs).catch(asError));
    }),
  );
  return wanted.map(({ endpointId, spacingMs }) => {
    const slot = next.get(endpointId);
    if (typeof slot === 'number') next.set(endpointId, slot + spacingMs);
    return slot;
  });
}

function asError(fault: unknown): Error {
  return fault instanceof Error ? fault : new Error('no slot could be had', { cause: fault });
}

/** Takes a stretch of an endpoint's line. */
function takeFrom(client: DynamoDBDocumentClient, ledger: string, now: Now): Take {
  const setNext = async (endpointId: string, change: Change): Promise<number | undefined> => {
    const { set, condition, values } = change;
    try {
      const answer = await client.send(
        new UpdateCommand({
          TableName: ledger,
          Key: paceKey(endpointId),
          UpdateExpression: `SET nextMs = ${set}, expiresAt = :expiresAt`,
          ConditionExpression: condition,
          ExpressionAttributeValues: { ...values, ':expiresAt': expiryOf(now(), 1) },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return z.number().parse(answer.Attributes?.['nextMs']);
    } catch (fault) {
      if (fault instanceof ConditionalCheckFailedException) return undefined;
      throw fault;
    }
  };
  return async function take(endpointId, lengthMs) {
    const nowMs = now();
    const inLine = {
      set: 'nextMs + :length',
      condition: 'nextMs > :now AND nextMs < :end',
      values: { ':length': lengthMs, ':now': nowMs, ':end': nowMs + lineMs },
    };
    const atItsHead = {
      set: ':next',
      condition: 'attribute_not_exists(nextMs) OR nextMs <= :now',
      values: { ':next': nowMs + lengthMs, ':now': nowMs },
    };
    // In line again: whoever was faster at the head has made one.
    for (const change of [inLine, atItsHead, inLine]) {
      const next = await setNext(endpointId, change);
      if (next !== undefined) return next - lengthMs;
    }
    return undefined;
  };
}

interface Change {
  readonly set: string;
  readonly condition: string;
  readonly values: Readonly<Record<string, number>>;
}
