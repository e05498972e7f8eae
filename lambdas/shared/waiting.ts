import { createHash } from 'node:crypto';
import { isoTime } from './time.ts';

/**
 * A place in the sparse index `waiting` of the ledger: whoever stands there waits, and somebody comes for him. What
 * waits for its endpoint stands in that endpoint's partition, in the order in which it came; what waits until a time
 * stands in one of sixteen partitions, in the order of time.
 */
export interface Place {
  readonly waiting: string;
  readonly waitingAt: string;
}

/** One key of an index takes a thousand writes a second, and throttles the whole table above that. */
const dueShards = 16;

/** The partitions of what waits until a time. */
export const duePartitions: readonly string[] = Array.from({ length: dueShards }, (_, shard) =>
  duePartition(shard),
);

function duePartition(shard: number): string {
  return `DUE#${String(shard).padStart(2, '0')}`;
}

/** The place of what waits until a time. @param name of the waiting thing, one of its own */
export function dueAt(timeMs: number, ...name: readonly [string, ...string[]]): Place {
  const text = name.join('#');
  return { waiting: duePartition(shardOf(text, dueShards)), waitingAt: `${isoTime(timeMs)}#${text}` };
}

/** The partition of what waits for an endpoint. */
export function endpointPartition(endpointId: string): string {
  return `ENDPOINT#${endpointId}`;
}

/** The place of a delivery that waits for its endpoint since a moment. */
export function behind(endpointId: string, eventId: string, sinceMs: number): Place {
  return { waiting: endpointPartition(endpointId), waitingAt: `${isoTime(sinceMs)}#${eventId}` };
}

/** The time at which a place stands, in milliseconds since 1970. */
export function timeOfPlace({ waitingAt }: Pick<Place, 'waitingAt'>): number {
  return Date.parse(waitingAt.slice(0, waitingAt.indexOf('#')));
}

/** Spreads names evenly over a number of shards, up to 256; the same name always has the same one. */
export function shardOf(name: string, shards: number): number {
  return createHash('sha256').update(name).digest().readUInt8(0) % shards;
}
