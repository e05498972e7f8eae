import { LRUCache } from 'lru-cache';

/** How long a function trusts what it has read of the configuration: a change is seen everywhere within this time. */
const configurationTtlMs = 30_000;

/**
 * Remembers what a look-up by ids gave, for `configurationTtlMs`; look-ups of the same ids at the same time are
 * one. A failed look-up is not remembered, nor an answer that is not worth it: what does not exist may be made
 * in the next second, and its first event must not be lost on an old answer.
 */
export function cached<Value extends object>(
  look: (...ids: string[]) => Promise<Value>,
  isWorthKeeping: (value: Value) => boolean,
): (...ids: string[]) => Promise<Value> {
  const kept = new LRUCache<string, Value, string[]>({
    max: 10_000,
    ttl: configurationTtlMs,
    fetchMethod: (_key, _stale, { context: ids }) => look(...ids),
  });
  return async (...ids) => {
    // Ids hold no spaces (shared/identifier.ts).
    const key = ids.join(' ');
    const value = await kept.forceFetch(key, { context: ids });
    if (!isWorthKeeping(value)) kept.delete(key);
    return value;
  };
}
