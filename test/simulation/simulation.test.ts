import { describe, expect, test } from 'vitest';
import { regressions } from './regressions.ts';
import { run } from './simulate.ts';

/** CI lives through thousands more (`npm run simulate`), and looks for every planted fault (`npm run simulate:plants`). */
const seeds = 50;

describe('the simulator', () => {
  test.each(regressions)('breaks no invariant any more by seed $seed: $found', async ({ seed }) => {
    expect((await run(seed)).violation).toBeUndefined();
  });

  test(`breaks no invariant by ${seeds} seeds, and lives through each in one way only, whoever reads its story`, async () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const [once, again] = [await run(seed), await run(seed, { withStory: true })];
      expect({ seed, violation: once.violation }).toEqual({ seed, violation: undefined });
      expect({ ...once, story: [] }).toEqual({ ...again, story: [] });
    }
  });
});
