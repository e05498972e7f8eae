import { compareText } from './text.ts';
import type { Item } from './value.ts';

/** Where an entry stands in its partition: by its sort key, and among equals by the keys of the table. */
export interface Place {
  readonly sort: string;
  readonly pk: string;
  readonly sk: string;
}

export interface Entry extends Place {
  readonly item: Item;
  readonly bytes: number;
}

export function comparePlaces(one: Place, other: Place): number {
  return compareText(one.sort, other.sort) || compareText(one.pk, other.pk) || compareText(one.sk, other.sk);
}

/** Where an entry stands, whichever it is: an item that is written again stays in its place. */
interface Slot {
  entry: Entry;
}

/** Longer, and an insertion moves much; shorter, and there are many blocks. */
const blockSlotsMax = 256;

interface Position {
  readonly block: number;
  readonly index: number;
}

type IsBefore = (entry: Entry) => boolean;

/**
 * Entries in order, in blocks: a partition may hold hundreds of thousands, and none is moved but those of a block. A
 * search among so many misses the processor's caches at every step, so who knows an entry's name finds it without one.
 */
export class Ordered {
  readonly #blocks: Slot[][] = [];
  readonly #named = new Map<string, Slot>();

  get isEmpty(): boolean {
    return this.#named.size === 0;
  }

  get(place: Place): Entry | undefined {
    return this.#named.get(nameOf(place))?.entry;
  }

  /** Puts an entry in its place, and whatever stood there is gone. */
  put(entry: Entry): void {
    const name = nameOf(entry);
    const there = this.#named.get(name);
    if (there !== undefined) {
      there.entry = entry;
      return;
    }
    const slot = { entry };
    this.#named.set(name, slot);
    const at = this.#find((one) => comparePlaces(one, entry) < 0);
    const block = this.#blocks[at.block];
    if (block === undefined) this.#append(slot);
    else {
      block.splice(at.index, 0, slot);
      if (block.length > blockSlotsMax) this.#blocks.splice(at.block + 1, 0, block.splice(blockSlotsMax / 2));
    }
  }

  delete(place: Place): void {
    if (!this.#named.delete(nameOf(place))) return;
    const at = this.#find((entry) => comparePlaces(entry, place) < 0);
    const block = this.#blocks[at.block];
    block?.splice(at.index, 1);
    if (block?.length === 0) this.#blocks.splice(at.block, 1);
  }

  /** From the first entry that is not before, onwards. `isBefore` is true of some, and of none after them. */
  *upwards(isBefore: IsBefore): Generator<Entry, void> {
    const { block, index } = this.#find(isBefore);
    for (let number = block; number < this.#blocks.length; number += 1) {
      const slots = this.#blocks[number] ?? [];
      for (let at = number === block ? index : 0; at < slots.length; at += 1) {
        const slot = slots[at];
        if (slot !== undefined) yield slot.entry;
      }
    }
  }

  /** From the last entry that is before, backwards. */
  *downwards(isBefore: IsBefore): Generator<Entry, void> {
    const { block, index } = this.#find(isBefore);
    for (let number = block; number >= 0; number -= 1) {
      const slots = this.#blocks[number] ?? [];
      for (let at = (number === block ? index : slots.length) - 1; at >= 0; at -= 1) {
        const slot = slots[at];
        if (slot !== undefined) yield slot.entry;
      }
    }
  }

  #append(slot: Slot): void {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.length < blockSlotsMax) last.push(slot);
    else this.#blocks.push([slot]);
  }

  #find(isBefore: IsBefore): Position {
    const block = firstNot(this.#blocks, (slots) => {
      const last = slots.at(-1);
      return last !== undefined && isBefore(last.entry);
    });
    return { block, index: firstNot(this.#blocks[block] ?? [], ({ entry }) => isBefore(entry)) };
  }
}

function nameOf({ sort, pk, sk }: Place): string {
  return `${sort}\0${pk}\0${sk}`;
}

/** The place of the first of which something is not true, when it is true of all before and of none after. */
function firstNot<One>(all: readonly One[], isTrue: (one: One) => boolean): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = all[middle];
    if (one !== undefined && isTrue(one)) low = middle + 1;
    else high = middle;
  }
  return low;
}
