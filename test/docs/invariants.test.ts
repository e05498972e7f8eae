import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

test('each invariant that the simulator checks is explained in docs/simulator.md', () => {
  const sources = globSync('test/simulation/**/*.ts', { cwd: root }).map((file) =>
    readFileSync(`${root}${file}`, 'utf8'),
  );
  const checked = new Set(sources.flatMap((source) => source.match(/(?<=')I\d+(?=')/g) ?? []));
  const page = readFileSync(`${root}docs/simulator.md`, 'utf8');
  const explained = new Set([...page.matchAll(/^\| (I\d+) \|/gm)].map(([, number]) => number ?? ''));
  expect(checked.size).toBeGreaterThan(15);
  expect([...checked].filter((number) => !explained.has(number))).toEqual([]);
});
