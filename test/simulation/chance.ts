import { seededChance } from '../fakes/chance.ts';

export type Chance = ReturnType<typeof aChance>;

/** All chance of one run. Seeds next to each other give unrelated runs. */
export function aChance(seed: number) {
  const random = seededChance(mixed(seed));
  const below = (count: number) => Math.floor(random() * count);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  };
  return {
    /** From 0 up to but not including 1. */
    random,
    /** A whole number from 0 up to but not including `count`. */
    below,
    /** A whole number, both ends included. */
    between: (min: number, max: number) => min + below(max - min + 1),
    isLucky: (probability: number) => probability > 0 && random() < probability,
    pick,
    /** One of the values, each as often as its weight says. */
    weigh: <Item>(weighted: readonly (readonly [weight: number, item: Item])[]): Item => {
      let left = random() * weighted.reduce((sum, [weight]) => sum + weight, 0);
      const found = weighted.find(([weight]) => (left -= weight) < 0);
      return found === undefined ? pick(weighted)[1] : found[1];
    },
  };
}

/** The finalizer of MurmurHash3: one to one, and every bit of the seed changes half of the answer's. */
function mixed(seed: number): number {
  let bits = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) | 0;
}
