import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { bytesInMemory } from '../../../shared/cache.ts';
import type { Key } from '../../../shared/store.ts';
import { expiryOf } from '../../../shared/time.ts';
import type { Now } from '../../../shared/time.ts';
import { burstOf, withinPace } from '../pace.ts';
import type { Take } from '../pace.ts';

/**
 * Gives leave to endpoints that are held to a pace, for all functions together: the item holds the time up to which
 * leave has been used (the generic cell rate algorithm). What is asked for one endpoint in the same turn of the event
 * loop is one write; a refusal that follows from what was read last takes none, since that time only moves ahead.
 *
 * The time is moved by as much as is taken, from wherever it is: many functions that ask at once do not overtake each
 * other, as they would if each wrote over what it has read.
 */
export function makeTake(client: DynamoDBDocumentClient, ledger: string, now: Now): Take {
  const pace = paceItem(client, ledger, now);
  const seen = new LRUCache<string, number>({
    maxSize: seenBytesMax,
    sizeCalculation: (_ms, endpointId) => bytesInMemory(endpointId) + bytesOfEntry,
  });
  const grant = async (endpointId: string, wanted: readonly number[]): Promise<number> => {
    let isIdle = false;
    for (let tries = 0; tries < triesMax; tries += 1) {
      const nowMs = now();
      const startMs = nowMs - burstOf(Math.max(...wanted));
      const granted = fitting(wanted, nowMs - Math.max(startMs, seen.get(endpointId) ?? 0));
      if (granted === 0) return 0;
      const taking = { nowMs, startMs, spacings: wanted.slice(0, granted) };
      const usedMs = await (isIdle ? pace.begin(endpointId, taking) : pace.advance(endpointId, taking));
      if (usedMs !== undefined) {
        seen.set(endpointId, usedMs);
        return granted;
      }
      const latestMs = (await pace.read(endpointId)) ?? 0;
      seen.set(endpointId, latestMs);
      isIdle = latestMs < startMs - slackMs;
    }
    return 0;
  };
  const asked = new DataLoader<Asked, boolean>((all) => answer(grant, all), {
    cache: false,
    batchScheduleFn: setImmediate,
  });
  return async function take(endpointId, perSecond) {
    return asked.load({ endpointId, spacingMs: 1_000 / (perSecond * withinPace) });
  };
}

/** Some twenty thousand endpoints. What is forgotten costs one more read. */
const seenBytesMax = 4 * 2 ** 20;
/** A number, and the places of an entry in the cache. */
const bytesOfEntry = 64;

/**
 * The time is moved on though it is behind by so much more than the burst: at the edge, of many who ask at once each
 * would start it anew, and all but one would have to look again.
 */
const slackMs = 1_000;

/** Each try has read what the one before was refused for; who is refused more often may wait. */
const triesMax = 4;

interface Asked {
  readonly endpointId: string;
  readonly spacingMs: number;
}

/** How many go before the time is used up: each when what was given before it fits. */
function fitting(spacings: readonly number[], leftMs: number): number {
  let usedMs = 0;
  let count = 0;
  for (const spacingMs of spacings) {
    if (usedMs > leftMs) break;
    usedMs += spacingMs;
    count += 1;
  }
  return count;
}

async function answer(
  grant: (endpointId: string, wanted: readonly number[]) => Promise<number>,
  all: readonly Asked[],
): Promise<(boolean | Error)[]> {
  const left = new Map<string, number | Error>();
  await Promise.all(
    [...Map.groupBy(all, ({ endpointId }) => endpointId)].map(async ([endpointId, own]) => {
      const spacings = own.map(({ spacingMs }) => spacingMs);
      left.set(endpointId, await grant(endpointId, spacings).catch(asError));
    }),
  );
  return all.map(({ endpointId }) => {
    const granted = left.get(endpointId) ?? 0;
    if (typeof granted !== 'number') return granted;
    left.set(endpointId, granted - 1);
    return granted > 0;
  });
}

function asError(fault: unknown): Error {
  return fault instanceof Error ? fault : new Error('no leave could be had', { cause: fault });
}

interface Taking {
  readonly nowMs: number;
  /** Where the time starts anew when none was taken for longer than the burst. */
  readonly startMs: number;
  readonly spacings: readonly number[];
}

function paceItem(client: DynamoDBDocumentClient, TableName: string, now: Now) {
  const write = async (endpointId: string, change: Change): Promise<number | undefined> => {
    const update = new UpdateCommand({
      ...{ TableName, Key: paceKey(endpointId), ReturnValues: 'UPDATED_NEW' },
      UpdateExpression: `SET nextMs = ${change.set}, expiresAt = :expiresAt`,
      ConditionExpression: change.condition,
      ExpressionAttributeValues: { ...change.values, ':expiresAt': expiryOf(now(), 1) },
    });
    try {
      return item.parse((await client.send(update)).Attributes).nextMs;
    } catch (fault) {
      if (fault instanceof ConditionalCheckFailedException) return undefined;
      throw fault;
    }
  };
  return {
    read: async (endpointId: string): Promise<number | undefined> => {
      const Key = paceKey(endpointId);
      const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return item.optional().parse(Item)?.nextMs;
    },
    /** Starts the time anew, unless somebody has. The answer is the new one, if it was so. */
    begin: (endpointId: string, { startMs, spacings }: Taking) =>
      write(endpointId, {
        set: ':until',
        condition: 'attribute_not_exists(nextMs) OR nextMs < :oldest',
        values: { ':until': startMs + sumOf(spacings), ':oldest': startMs - slackMs },
      }),
    /** Moves the time on from wherever it is, if the last one still fits. The answer is the new one, if it does. */
    advance: (endpointId: string, { nowMs, startMs, spacings }: Taking) =>
      write(endpointId, {
        set: 'nextMs + :used',
        condition: 'nextMs BETWEEN :oldest AND :latest',
        values: {
          ':used': sumOf(spacings),
          ':oldest': startMs - slackMs,
          ':latest': nowMs - sumOf(spacings.slice(0, -1)),
        },
      }),
  };
}

interface Change {
  readonly set: string;
  readonly condition: string;
  readonly values: Readonly<Record<string, number>>;
}

const item = z.object({ nextMs: z.number() });

function sumOf(spacings: readonly number[]): number {
  return spacings.reduce((sum, ms) => sum + ms, 0);
}

function paceKey(endpointId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: 'PACE' };
}
