import { cached } from '../../shared/cache.ts';
import type { CacheOptions } from '../../shared/cache.ts';
import type { Health } from './health.ts';

/** Health as a store keeps it. */
export interface HealthStore {
  readonly read: (endpointId: string) => Promise<Health>;
  readonly readLatest: (endpointId: string) => Promise<Health>;
  readonly replace: (endpointId: string, before: Health, after: Health) => Promise<boolean>;
}

/** A pause is seen everywhere within this time; without it every delivery would pay for a read more. */
const healthTtlMs = 5_000;

/** Ten thousand endpoints, as they mostly are. */
const healthBytesMax = 8 * 2 ** 20;

/**
 * The same store, but `read` answers for five seconds what was read or written last. Not that an endpoint is switched
 * off: what is recovered as soon as it is on again must not be discarded once more.
 */
export function remembered(store: HealthStore, options: Pick<CacheOptions, 'now'> = {}): HealthStore {
  const bounds = { ttlMs: healthTtlMs, bytesMax: healthBytesMax };
  const read = cached(store.read, ({ off }) => off === undefined, { ...options, ...bounds });
  return {
    read,
    readLatest: async (endpointId) => {
      const latest = await store.readLatest(endpointId);
      if (latest.off === undefined) read.keep(latest, endpointId);
      return latest;
    },
    replace: async (endpointId, before, after) => {
      // First, since a write whose answer is lost may have been made.
      read.forget(endpointId);
      const isReplaced = await store.replace(endpointId, before, after);
      if (isReplaced && after.off === undefined) {
        read.keep({ ...after, version: before.version + 1 }, endpointId);
      }
      return isReplaced;
    },
  };
}
