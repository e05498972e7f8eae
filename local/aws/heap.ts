interface Ranked<Item> {
  item: Item;
  rank: number;
}

interface Entry<Item> extends Ranked<Item> {
  /** Order of entry: equal ranks leave in the order they came. */
  order: number;
}

/**
 * The item with the lowest rank first; any item can be re-ranked or taken out. All in O(log n), so that a queue of a
 * hundred thousand messages receives as fast as one of ten.
 */
export class Heap<Item> {
  readonly #entries: Entry<Item>[] = [];
  readonly #places = new Map<Item, number>();
  #entered = 0;

  get size(): number {
    return this.#entries.length;
  }

  first(): Ranked<Item> | undefined {
    return this.#entries[0];
  }

  /** Puts the item in, or gives it another rank. */
  set(item: Item, rank: number): void {
    this.delete(item);
    const place = this.#entries.length;
    const entry = { item, rank, order: this.#entered++ };
    this.#put(place, entry);
    this.#rise(place, entry);
  }

  delete(item: Item): boolean {
    const place = this.#places.get(item);
    if (place === undefined) return false;
    this.#places.delete(item);
    const last = this.#entries.pop();
    if (last !== undefined && place < this.#entries.length) {
      this.#put(place, last);
      this.#sink(place, last);
      this.#rise(this.#places.get(last.item) ?? place, last);
    }
    return true;
  }

  #rise(from: number, entry: Entry<Item>): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#entries[above];
      if (parent === undefined || !isBefore(entry, parent)) return;
      this.#put(place, parent);
      this.#put(above, entry);
      place = above;
    }
  }

  #sink(from: number, entry: Entry<Item>): void {
    let place = from;
    for (;;) {
      const below = this.#lesserChild(place);
      const child = this.#entries[below];
      if (child === undefined || !isBefore(child, entry)) return;
      this.#put(place, child);
      this.#put(below, entry);
      place = below;
    }
  }

  #lesserChild(place: number): number {
    const left = this.#entries[2 * place + 1];
    const right = this.#entries[2 * place + 2];
    return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * place + 2 : 2 * place + 1;
  }

  #put(place: number, entry: Entry<Item>): void {
    this.#entries[place] = entry;
    this.#places.set(entry.item, place);
  }
}

function isBefore<Item>(one: Entry<Item>, other: Entry<Item>): boolean {
  return one.rank === other.rank ? one.order < other.order : one.rank < other.rank;
}
