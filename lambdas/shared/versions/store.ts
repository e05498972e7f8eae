import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Key, Read } from '../store.ts';
import type { Now } from '../time.ts';
import type { SayChanged, Versions } from '../versions.ts';

/** Beside it there is time for the look itself and for what follows, within the second that is promised. */
const trustedMs = 500;

/** Some 2 MB. What is forgotten is looked up again. */
const seenMax = 10_000;

const item = z.object({ version: z.number() }).default({ version: 0 });

/**
 * Versions, remembered by a function. Whoever remembers something of the configuration by its version reads the version
 * first and then the thing: so what is remembered is never older than its version says.
 *
 * @param read of the configuration, strongly consistent
 */
export function makeVersions(read: Read, now: Now): Versions {
  // By size and not by number: for a number it would take the memory of all of them at once, at each cold start.
  const known = new LRUCache<string, { readonly version: number; readonly atMs: number }>({
    maxSize: seenMax,
    sizeCalculation: () => 1,
  });
  const look = async (of: string): Promise<number> => {
    const atMs = now();
    const { version } = item.parse(await read(versionKey(of)));
    const last = known.get(of);
    // A look that was slow has perhaps been overtaken.
    if (last === undefined || last.atMs < atMs) known.set(of, { version, atMs });
    return version;
  };
  return {
    seen: async (of) => known.get(of)?.version ?? (await look(of)),
    latest: async (of, sinceMs = -Infinity) => {
      const last = known.get(of);
      const isTrusted = last !== undefined && Math.abs(now() - last.atMs) < trustedMs && last.atMs >= sinceMs;
      return isTrusted ? last.version : look(of);
    },
    told: (of, version) => {
      if (version !== undefined && !known.has(of)) known.set(of, { version, atMs: -Infinity });
    },
  };
}

export function makeSayChanged(client: DynamoDBDocumentClient, config: string): SayChanged {
  return async function sayChanged(of) {
    await client.send(
      new UpdateCommand({
        TableName: config,
        Key: versionKey(of),
        UpdateExpression: 'ADD #version :one',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );
  };
}

/** Apart from the organization's own items, which are read all together. */
function versionKey(of: string): Key {
  return { pk: `VERSION#${of}`, sk: 'VERSION' };
}
