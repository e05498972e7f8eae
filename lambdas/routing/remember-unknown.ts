import { LRUCache } from 'lru-cache';
import { exists } from '../endpoint/subscribers.ts';
import type { Subscribers } from '../endpoint/subscribers.ts';
import type { Now } from '../shared/time.ts';

/** As long as a mistaken producer is answered from memory, and an organization that is made meanwhile is late. */
const unknownTtlMs = 5_000;

/** Some 100 kB. Whoever invents more ids than these is looked up for each. */
const unknownMax = 1_000;

/**
 * Looks up an organization with its endpoints. Given `sinceMs`, the answer that there is none is never as old as that:
 * an event that falls because of a remembered answer is looked at again with one that was read after it fell, so none is
 * lost to a memory.
 *
 * @param sinceMs milliseconds since 1970; 0 takes any answer that is remembered
 */
export type LookUpSubscribers = (organizationId: string, sinceMs: number) => Promise<Subscribers>;

/** Remembers for a short time which organizations do not exist, so that a flood of their events reads little. */
export function rememberUnknown(
  readSubscribers: (organizationId: string) => Promise<Subscribers>,
  now: Now,
): LookUpSubscribers {
  const readAtMs = new LRUCache<string, number>({ max: unknownMax });
  return async function lookUpSubscribers(organizationId, sinceMs) {
    const nowMs = now();
    const lastMs = readAtMs.get(organizationId) ?? -Infinity;
    if (lastMs > sinceMs && lastMs > nowMs - unknownTtlMs) return { organization: undefined, endpoints: [] };
    const subscribers = await readSubscribers(organizationId);
    if (exists(subscribers)) readAtMs.delete(organizationId);
    else readAtMs.set(organizationId, nowMs);
    return subscribers;
  };
}
