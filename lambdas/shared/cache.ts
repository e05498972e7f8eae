import { LRUCache } from 'lru-cache';

/**
 * How long a function trusts what it has read of the configuration. A change through the API ends that sooner, by its
 * version (shared/versions.ts); what is changed in the table by hand is seen everywhere within this time.
 */
export const configurationTtlMs = 30_000;

/** Unless a cache says otherwise; the functions have 512 MB, and four caches at most (docs/capacity.md). */
const defaultBytesMax = 32 * 2 ** 20;

export interface CacheOptions {
  /** How much memory it may take: what has not been asked for for the longest time leaves first. */
  readonly bytesMax?: number;
  /** Milliseconds that an answer is trusted; by default as long as configuration is. */
  readonly ttlMs?: number;
  /** Another clock than the process's own. */
  readonly now?: () => number;
}

export interface Cached<Value> {
  (...ids: string[]): Promise<Value>;
  /** Remembers what the caller has just written. */
  readonly keep: (value: Value, ...ids: string[]) => void;
  /** Has the next caller look again. */
  readonly forget: (...ids: string[]) => void;
}

/**
 * Remembers what a look-up by ids gave, for `ttlMs`; look-ups of the same ids at the same time are one. A failed
 * look-up is not remembered, nor an answer that is not worth it: what does not exist may be made in the next second,
 * and its first event must not be lost on an old answer. What has ended leaves memory, though nobody asks for it again.
 */
export function cached<Value extends object>(
  look: (...ids: string[]) => Promise<Value>,
  isWorthKeeping: (value: Value) => boolean,
  { bytesMax = defaultBytesMax, ttlMs = configurationTtlMs, now }: CacheOptions = {},
): Cached<Value> {
  const kept = new LRUCache<string, Value, string[]>({
    maxSize: bytesMax,
    sizeCalculation: (value, key) => bytesInMemory(value) + bytesInMemory(key),
    ttl: ttlMs,
    // Its timers keep no process alive, and in a frozen function nothing happens. They know no clock but its own.
    ttlAutopurge: now === undefined,
    // Forgetting a key must not fail those who are waiting for it.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: ids }) => look(...ids),
    ...(now === undefined ? {} : { perf: { now }, ttlResolution: 0 }),
  });
  // Ids hold no spaces (shared/identifier.ts).
  const keyOf = (ids: readonly string[]) => ids.join(' ');
  const sweep = now === undefined ? () => undefined : makeSweep(kept, ttlMs, now);
  const known = async (...ids: string[]) => {
    sweep();
    const value = await kept.forceFetch(keyOf(ids), { context: ids });
    if (!isWorthKeeping(value)) kept.delete(keyOf(ids));
    return value;
  };
  return Object.assign(known, {
    keep: (value: Value, ...ids: string[]) => void kept.set(keyOf(ids), value),
    forget: (...ids: string[]) => void kept.delete(keyOf(ids)),
  });
}

/** Lets go of all that has ended, at most once in the time that an answer is trusted: it looks at everything. */
function makeSweep(kept: { readonly purgeStale: () => boolean }, ttlMs: number, now: () => number) {
  let sweptAtMs = now();
  return function sweep(): void {
    // A clock may be set back.
    if (Math.abs(now() - sweptAtMs) < ttlMs) return;
    sweptAtMs = now();
    kept.purgeStale();
  };
}

/**
 * Bytes that a value takes in memory, rather too many than too few: V8 takes one or two for a letter, a pointer for
 * each field, and a head for each thing. What two things share counts twice.
 */
export function bytesInMemory(value: unknown): number {
  if (typeof value === 'string') return 24 + 2 * value.length;
  if (typeof value !== 'object' || value === null) return 0;
  const parts = value instanceof Map ? [...value].flat() : Object.values(value);
  return parts.reduce((sum: number, part) => sum + 12 + bytesInMemory(part), 64);
}
