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

it('every queue that is polled is on it', () => {
  const [polled] = idleItems(synthesized());
  expect(polled?.count).toBe(5);
});
