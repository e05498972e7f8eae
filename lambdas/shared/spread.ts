import { shardOf } from './waiting.ts';

/** One key of an index takes a thousand writes a second: eight let an organization fail at 3,000 a second and more. */
const shards = 8;

/** The key under which an item stands in a list that is spread over several partitions of an index. */
export function spreadKey(list: string, eventId: string): string {
  return `${list}#${shardOf(eventId, shards)}`;
}

/** All partitions of such a list; the last one is where items stood before lists were spread. */
export function spreadKeys(list: string): string[] {
  return [...Array.from({ length: shards }, (_, shard) => `${list}#${shard}`), list];
}
