import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { synthesized } from '../lib/synthesized.ts';
import { idleItems, tableOf } from './idle.ts';

const squeezed = (text: string) => text.replaceAll(/ +/g, ' ');

it('docs/capacity.md has the bill of an idle deployment, as the template makes it', async () => {
  const document = squeezed(await readFile('docs/capacity.md', 'utf8'));
  const missing = tableOf(idleItems(synthesized())).filter((line) => !document.includes(squeezed(line)));
  expect(missing).toEqual([]);
});

it('each rule that calls a function is on it, as often as it calls in a month', () => {
  const { resources } = synthesized();
  const rates = [...resources.values()].flatMap(({ Properties }) => Properties['ScheduleExpression'] ?? []);
  expect(rates.toSorted()).toEqual(['rate(1 day)', 'rate(1 hour)', 'rate(1 minute)', 'rate(15 minutes)']);
  const runs = idleItems({ resources }).filter(({ what }) => what.startsWith('runs of '));
  expect(runs.map(({ count }) => count)).toEqual([30 + 730 + 4 * 730, 60 * 730]);
});

it('every queue that is polled is on it', () => {
  const [polled] = idleItems(synthesized());
  expect(polled?.count).toBe(6);
});
