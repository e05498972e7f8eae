import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { bytesInMemory } from '../../../shared/cache.ts';
import { isWritten } from '../../../shared/store.ts';
import type { Key } from '../../../shared/store.ts';
import { expiryOf } from '../../../shared/time.ts';
import type { Now } from '../../../shared/time.ts';
import { burstMs, withinPace } from '../pace.ts';
import type { Take } from '../pace.ts';

/**
 * Gives leave to endpoints that are held to a pace, for all functions together: the item holds the time up to which
 * leave has been given (the generic cell rate algorithm). What is asked for one endpoint in the same turn of the event
 * loop is one write; a refusal that follows from what was read last takes none, since that time only moves ahead.
 */
export function makeTake(client: DynamoDBDocumentClient, ledger: string, now: Now): Take {
  const pace = paceItem(client, ledger, now);
  const seen = new LRUCache<string, number>({
    maxSize: seenBytesMax,
    sizeCalculation: (_ms, endpointId) => bytesInMemory(endpointId) + bytesOfEntry,
  });
  const grant = async (endpointId: string, wanted: readonly number[]): Promise<number> => {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const givenMs = seen.get(endpointId);
      const nowMs = now();
      const fromMs = Math.max(nowMs, givenMs ?? 0);
      const granted = fitting(wanted, nowMs + burstMs - fromMs);
      if (granted === 0) return 0;
      const untilMs = fromMs + wanted.slice(0, granted).reduce((sum, ms) => sum + ms, 0);
      if (await pace.advance(endpointId, givenMs, untilMs)) {
        seen.set(endpointId, untilMs);
        return granted;
      }
      const latest = await pace.read(endpointId);
      if (latest === undefined) seen.delete(endpointId);
      else seen.set(endpointId, latest);
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

/** Whoever is overtaken more often than this has met many who go; he may wait. */
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

function paceItem(client: DynamoDBDocumentClient, TableName: string, now: Now) {
  return {
    read: async (endpointId: string): Promise<number | undefined> => {
      const Key = paceKey(endpointId);
      const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return z.number().optional().parse(Item?.['nextMs']);
    },
    /** Moves the time on, unless somebody has since it was read. */
    advance: (endpointId: string, givenMs: number | undefined, untilMs: number): Promise<boolean> =>
      isWritten(
        client,
        new UpdateCommand({
          TableName,
          Key: paceKey(endpointId),
          UpdateExpression: 'SET nextMs = :until, expiresAt = :expiresAt',
          ConditionExpression: givenMs === undefined ? 'attribute_not_exists(nextMs)' : 'nextMs = :given',
          ExpressionAttributeValues: {
            ':until': untilMs,
            ':expiresAt': expiryOf(now(), 1),
            ...(givenMs === undefined ? {} : { ':given': givenMs }),
          },
        }),
      ),
  };
}

function paceKey(endpointId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: 'PACE' };
}
