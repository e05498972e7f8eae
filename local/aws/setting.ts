import { randomBytes } from 'node:crypto';

import { type Clock, systemClock } from './clock.ts';
import { memoryShelf, type Shelf } from './shelf.ts';

/** What every stand-in is handed: time, chance, a place to keep things, and the account it plays. */
export interface Setting {
  clock: Clock;
  /** A number from 0 up to but not including 1. */
  random: () => number;
  shelf: Shelf;
  region: string;
  accountId: string;
  /** Where the server answers, without a slash at its end. A function, since its port may be known late. */
  endpoint: () => string;
  /** Told what AWS would drop without a word. Never holds a payload. */
  report: (problem: string) => void;
}

/** Real time, real chance, memory only; whatever is given replaces its default. */
export function aSetting(given: Partial<Setting> = {}): Setting {
  return {
    clock: systemClock,
    random: systemRandom,
    shelf: memoryShelf(),
    region: 'us-east-1',
    accountId: '000000000000',
    endpoint: () => 'http://127.0.0.1',
    report: (problem) => {
      console.warn(problem);
    },
    ...given,
  };
}

/** A version 4 UUID drawn from the setting's own chance, so that a seeded run repeats itself. */
export function uuid(random: () => number): string {
  const hex = letters(random, { count: 32, from: '0123456789abcdef' });
  const variant = '89ab'.charAt(Math.floor(random() * 4));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** `count` characters, each drawn from `from`. */
export function letters(random: () => number, wanted: { count: number; from: string }): string {
  let text = '';
  for (let drawn = 0; drawn < wanted.count; drawn += 1)
    text += wanted.from.charAt(Math.floor(random() * wanted.from.length));
  return text;
}

/** From the operating system: ids drawn by one process must not repeat in the next, which may share its folder. */
function systemRandom(): number {
  return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
}
