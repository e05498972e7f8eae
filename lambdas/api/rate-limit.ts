import { LRUCache } from 'lru-cache';
import { bytesInMemory } from '../shared/cache.ts';
import { TooMany } from '../shared/errors.ts';
import type { Now } from '../shared/time.ts';

export interface RateLimitPorts {
  /**
   * Takes requests out of what a caller may make in a minute; gives how many have been taken of it, with these.
   *
   * @param minute number of the minute since 1970
   */
  readonly take: (subject: string, minute: number, requests: number) => Promise<number>;
  readonly requestsPerMinute: number;
  readonly now: Now;
}

/**
 * How many requests a function takes at a time: a caller who asks often costs one write for ten requests. What it
 * does not use by the end of the minute is lost to the caller, so a slow one may be refused a few too early.
 */
const takenAtOnce = 10;

export type LimitRate = (subject: string) => Promise<void>;

/**
 * Bounds how often one caller may ask, whichever function answers. When the count cannot be kept, nobody is refused
 * for it: what guards against too many must not itself turn all away.
 */
export function makeLimitRate({ take, requestsPerMinute, now }: RateLimitPorts): LimitRate {
  const left = new LRUCache<string, number>({
    max: 10_000,
    // A subject may be as long as a token.
    maxSize: 4 * 2 ** 20,
    sizeCalculation: (_left, name) => bytesInMemory(name),
    // When its minute is over nobody asks for it any more.
    ttl: 60_000,
    ttlAutopurge: true,
  });
  return async function limitRate(subject) {
    const minute = Math.floor(now() / 60_000);
    const name = `${String(minute)} ${subject}`;
    const have = left.get(name) ?? 0;
    if (have > 0) {
      left.set(name, have - 1);
      return;
    }
    const size = Math.min(takenAtOnce, requestsPerMinute);
    const taken = await take(subject, minute, size).catch(() => 0);
    const own = Math.min(size, requestsPerMinute - (taken - size));
    if (own <= 0) {
      throw new TooMany(
        'too_many_requests',
        `A caller may make ${String(requestsPerMinute)} requests a minute: wait for the next one.`,
        Math.max(1, Math.ceil((minute + 1) * 60 - now() / 1000)),
      );
    }
    left.set(name, own - 1);
  };
}
