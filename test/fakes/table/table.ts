import { checkItem } from './keys.ts';
import type { Key } from './keys.ts';
import type { Entry, Ordered } from './ordered.ts';
import { refusal } from './refusal.ts';
import { Replica, putInto, removeFrom } from './replica.ts';
import type { TableShape } from './shapes.ts';
import { bytesOf } from './size.ts';
import type { Item } from './value.ts';

export interface TableOptions {
  readonly now: () => number;
  /** How far indexes are behind. */
  readonly indexLagMs: () => number;
  /** How far reads without strong consistency are behind; without it they are not. */
  readonly readLagMs: (() => number) | undefined;
  readonly onWrite?: OnWrite | undefined;
}

/** Hears of an item that has been written, as soon as it is. */
export type OnWrite = (write: {
  readonly table: TableShape['name'];
  readonly key: Key;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}) => void;

/** What a write has left. */
export interface Written {
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
  readonly indexUnits: Readonly<Record<string, number>>;
}

/** @throws when there is no table of this name */
export type TableOf = (name: string | undefined) => Table;

/** The items of a table, with its indexes; it knows nothing of requests. */
export class Table {
  readonly shape: TableShape;
  readonly #now: () => number;
  readonly #partitions = new Map<string, Ordered>();
  readonly #indexes: readonly Replica[];
  readonly #reader: Replica | undefined;
  readonly #onWrite: OnWrite | undefined;

  constructor(shape: TableShape, { now, indexLagMs, readLagMs, onWrite }: TableOptions) {
    this.#onWrite = onWrite;
    this.shape = shape;
    this.#now = now;
    this.#indexes = shape.indexes.map((index) => new Replica(index, indexLagMs));
    const whole = { name: 'reader', partition: 'pk', sort: 'sk', projected: 'all' } as const;
    this.#reader = readLagMs && new Replica(whole, readLagMs);
  }

  get(key: Key, isConsistent = true): Entry | undefined {
    return this.partition(key.pk, isConsistent)?.get({ ...key, sort: key.sk });
  }

  partition(pk: string, isConsistent: boolean): Ordered | undefined {
    if (isConsistent || this.#reader === undefined) return this.#partitions.get(pk);
    return this.#reader.partition(pk, this.#now());
  }

  /** @throws ValidationException when there is no such index */
  index(name: string): Replica {
    const index = this.#indexes.find(({ shape }) => shape.name === name);
    if (index === undefined) throw refusal(`The table does not have the specified index: ${name}`);
    return index;
  }

  indexPartition(index: Replica, name: string): Ordered | undefined {
    return index.partition(name, this.#now());
  }

  /** @throws ValidationException when the table cannot hold such an item */
  entryOf({ pk, sk }: Key, item: Item): Entry {
    const bytes = bytesOf(item);
    checkItem(item, this.shape, bytes);
    return { sort: sk, pk, sk, item, bytes };
  }

  /** Puts an entry in place of what is there; without one, removes it. */
  write(before: Entry | undefined, after: Entry | undefined): Written {
    const nowMs = this.#now();
    if (after !== undefined) putInto(this.#partitions, after.pk, after);
    else if (before !== undefined) removeFrom(this.#partitions, before.pk, before);
    const indexUnits: Record<string, number> = {};
    for (const index of this.#indexes) {
      const units = index.follow(before, after, nowMs);
      if (units > 0) indexUnits[index.shape.name] = units;
    }
    this.#reader?.follow(before, after, nowMs);
    const key = after ?? before;
    if (key !== undefined)
      this.#onWrite?.({ table: this.shape.name, key, before: before?.item, after: after?.item });
    return { before, after, indexUnits };
  }

  *all(): Generator<Entry, void> {
    for (const partition of this.#partitions.values()) yield* partition.upwards(() => false);
  }
}
