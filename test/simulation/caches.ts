import { remembered } from '../../lambdas/endpoint/health/remembered.ts';
import type { HealthStore } from '../../lambdas/endpoint/health/remembered.ts';
import { cached } from '../../lambdas/shared/cache.ts';
import type { CacheOptions, Cached } from '../../lambdas/shared/cache.ts';

type Look<Value> = (...ids: string[]) => Promise<Value>;

let now = (): number => 0;
const forgetters: (() => void)[] = [];
let instances = 0;

/** A run begins: sets the clock of all caches, and lets go of the instances of the run before. */
export function renewCaches(clock: () => number): void {
  now = clock;
  for (const forget of forgetters) forget();
  for (const giveUp of waiting) giveUp(new Error('the run is over'));
  waiting.clear();
}

const waiting = new Set<(reason: Error) => void>();

/** A look-up that somebody has died over never ends, and a cache would hold on to it and to the run around it. */
function untilTheEnd<Value>(look: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    look.then(resolve, reject).finally(() => waiting.delete(reject));
  });
}

/**
 * A cache of the real kind, one for all instances of a process: an LRUCache of ten thousand takes half a millisecond
 * to make, as long as a whole run. An instance is known in it by a number, so it remembers only what it has read.
 */
export function shareCache<Value extends object>(
  isWorthKeeping: (value: Value) => boolean,
  { ttlMs }: Pick<CacheOptions, 'ttlMs'> = {},
) {
  const looks = new Map<string, Look<Value>>();
  forgetters.push(() => {
    looks.clear();
  });
  const lookFor: Look<Value> = (instance = '', ...ids) => {
    const look = looks.get(instance);
    if (look === undefined) throw new Error('this instance is of another run');
    return untilTheEnd(look(...ids));
  };
  const all = cached(lookFor, isWorthKeeping, {
    ...(ttlMs === undefined ? {} : { ttlMs }),
    now: () => now(),
  });
  /** The cache of a new instance. */
  return function cacheOf(look: Look<Value>): Cached<Value> {
    const instance = String((instances += 1));
    looks.set(instance, look);
    return Object.assign((...ids: string[]) => all(instance, ...ids), {
      keep: (value: Value, ...ids: string[]) => {
        all.keep(value, instance, ...ids);
      },
      forget: (...ids: string[]) => {
        all.forget(instance, ...ids);
      },
    });
  };
}

/** What an instance remembers of endpoints' health; shared for the same reason. */
export function shareHealth() {
  const stores = new Map<string, HealthStore>();
  forgetters.push(() => {
    stores.clear();
  });
  const at = (name: string) => {
    const [instance = '', endpointId = ''] = name.split(' ');
    const store = stores.get(instance);
    if (store === undefined) throw new Error('this instance is of another run');
    return { store, endpointId };
  };
  const all = remembered(
    {
      read: (name) => untilTheEnd(at(name).store.read(at(name).endpointId)),
      readLatest: (name) => at(name).store.readLatest(at(name).endpointId),
      replace: (name, before, after) => at(name).store.replace(at(name).endpointId, before, after),
    },
    { now: () => now() },
  );
  return function rememberedBy(store: HealthStore): HealthStore {
    const instance = String((instances += 1));
    stores.set(instance, store);
    return {
      read: (endpointId) => all.read(`${instance} ${endpointId}`),
      readLatest: (endpointId) => all.readLatest(`${instance} ${endpointId}`),
      replace: (endpointId, before, after) => all.replace(`${instance} ${endpointId}`, before, after),
    };
  };
}
