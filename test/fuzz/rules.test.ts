import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { rules } from './rules.ts';

it('each rule is a code that the documentation lists', async () => {
  const codes = await readFile('docs/codes.md', 'utf8');
  expect(rules.filter(({ code }) => !codes.includes(`\`${code}\``))).toEqual([]);
});
