import { LRUCache } from 'lru-cache';

/** How long a function trusts what it has read of the configuration: a change is seen everywhere within this time. */
const configurationTtlMs = 30_000;

export interface CacheOptions {
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
 * and its first event must not be lost on an old answer.
 */
export function cached<Value extends object>(
  look: (...ids: string[]) => Promise<Value>,
  isWorthKeeping: (value: Value) => boolean,
  { ttlMs = configurationTtlMs, now }: CacheOptions = {},
): Cached<Value> {
  const kept = new LRUCache<string, Value, string[]>({
    max: 10_000,
    ttl: ttlMs,
    // Forgetting a key must not fail those who are waiting for it.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: ids }) => look(...ids),
    ...(now === undefined ? {} : { perf: { now }, ttlResolution: 0 }),
  });
  // Ids hold no spaces (shared/identifier.ts).
  const keyOf = (ids: readonly string[]) => ids.join(' ');
  const known = async (...ids: string[]) => {
    const value = await kept.forceFetch(keyOf(ids), { context: ids });
    if (!isWorthKeeping(value)) kept.delete(keyOf(ids));
    return value;
  };
  return Object.assign(known, {
    keep: (value: Value, ...ids: string[]) => void kept.set(keyOf(ids), value),
    forget: (...ids: string[]) => void kept.delete(keyOf(ids)),
  });
}
