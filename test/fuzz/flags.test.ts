import { expect, it } from 'vitest';
import { parseFlags, WrongFlags } from './flags.ts';

it('a run without flags asks as everybody, with a seed that is always the same', () => {
  expect(parseFlags([])).toEqual({ maxExamples: 50, seed: 1, identities: ['administrator', 'operator'] });
});

it('flags choose how many requests, which, and as whom', () => {
  expect(parseFlags(['--max-examples', '9', '--seed', '77', '--as', 'operator'])).toEqual({
    maxExamples: 9,
    seed: 77,
    identities: ['operator'],
  });
});

it.each([
  [['--max-examples', '0'], '--max-examples'],
  [['--seed', 'x'], '--seed'],
  [['--as', 'nobody'], '--as'],
  [['--fast'], '--fast'],
])('%j is refused, and the flag is named', (args, named) => {
  expect(() => parseFlags(args)).toThrow(WrongFlags);
  expect(() => parseFlags(args)).toThrow(named);
});
