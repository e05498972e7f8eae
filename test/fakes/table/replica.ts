import { Ordered, comparePlaces } from './ordered.ts';
import type { Entry } from './ordered.ts';
import { tableKeys } from './shapes.ts';
import type { IndexShape } from './shapes.ts';
import { bytesOf } from './size.ts';
import { isSame } from './value.ts';
import type { Item, Value } from './value.ts';
import { writeUnits } from './units.ts';

/** An entry and the partition that it stands in. */
interface Placed {
  readonly partition: string;
  readonly entry: Entry;
}

interface Change {
  readonly atMs: number;
  readonly before: Placed | undefined;
  readonly after: Placed | undefined;
}

/**
 * What follows a table: an index, or the copy that a read without strong consistency may see. It holds only items that
 * have both its keys, and may be behind.
 */
export class Replica {
  readonly shape: IndexShape;
  readonly #lagMs: () => number;
  readonly #partitions = new Map<string, Ordered>();
  /** What has not arrived, the oldest first. */
  #pending: Change[] = [];
  #arrived = 0;

  constructor(shape: IndexShape, lagMs: () => number) {
    this.shape = shape;
    this.#lagMs = lagMs;
  }

  /** Hears that an item of the table is another one now. The answer is what the change costs, in write units. */
  follow(before: Entry | undefined, after: Entry | undefined, nowMs: number): number {
    const [old, young] = [this.#placed(before), this.#placed(after)];
    if (old === undefined && young === undefined) return 0;
    const isMoved = old === undefined || young === undefined || !isSamePlace(old, young);
    if (!isMoved && isSame(old.entry.item, young.entry.item)) return 0;
    this.#pending.push({ atMs: nowMs, before: isMoved ? old : undefined, after: young });
    this.#catchUp(nowMs);
    if (isMoved) return unitsOf(old) + unitsOf(young);
    return Math.max(unitsOf(old), unitsOf(young));
  }

  /** A partition as somebody sees it now. */
  partition(name: string, nowMs: number): Ordered | undefined {
    this.#catchUp(nowMs);
    return this.#partitions.get(name);
  }

  #catchUp(nowMs: number): void {
    const seenMs = nowMs - this.#lagMs();
    let change = this.#pending[this.#arrived];
    for (; change !== undefined && change.atMs <= seenMs; change = this.#pending[this.#arrived]) {
      this.#arrive(change);
      this.#arrived += 1;
    }
    if (this.#arrived < 1_000 && this.#arrived < this.#pending.length) return;
    this.#pending = this.#pending.slice(this.#arrived);
    this.#arrived = 0;
  }

  #arrive({ before, after }: Change): void {
    if (before !== undefined) removeFrom(this.#partitions, before.partition, before.entry);
    if (after !== undefined) putInto(this.#partitions, after.partition, after.entry);
  }

  #placed(entry: Entry | undefined): Placed | undefined {
    if (entry === undefined) return undefined;
    const { partition: partitionName, sort: sortName, projected } = this.shape;
    const { item, pk, sk, bytes } = entry;
    const [partition, sort] = [item[partitionName], item[sortName]];
    if (typeof partition !== 'string' || typeof sort !== 'string') return undefined;
    if (projected === 'all') return { partition, entry: { sort, pk, sk, item, bytes } };
    const own = picked(item, [...tableKeys, partitionName, sortName, ...projected]);
    return { partition, entry: { sort, pk, sk, item: own, bytes: bytesOf(own) } };
  }
}

function picked(item: Item, names: readonly string[]): Item {
  const own: Record<string, Value> = {};
  for (const name of names) {
    const value = item[name];
    if (value !== undefined) own[name] = value;
  }
  return own;
}

function isSamePlace(one: Placed, other: Placed): boolean {
  return one.partition === other.partition && comparePlaces(one.entry, other.entry) === 0;
}

function unitsOf(placed: Placed | undefined): number {
  return placed === undefined ? 0 : writeUnits(placed.entry.bytes);
}

export function putInto(partitions: Map<string, Ordered>, name: string, entry: Entry): void {
  let partition = partitions.get(name);
  if (partition === undefined) partitions.set(name, (partition = new Ordered()));
  partition.put(entry);
}

export function removeFrom(partitions: Map<string, Ordered>, name: string, entry: Entry): void {
  const partition = partitions.get(name);
  partition?.delete(entry);
  if (partition?.isEmpty === true) partitions.delete(name);
}
