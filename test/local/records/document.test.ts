import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lines, rows } from './rows.ts';
import type { Row } from './rows.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');

it('docs/records.md has every row, and no other', async () => {
  const text = await readFile(join(docs, 'records.md'), 'utf8');
  const [, ...table] = text.split('\n').filter((line) => line.startsWith('| '));
  expect(table).toEqual(lines());
});

it('every row is held by a test, once', async () => {
  const names = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.test.ts'));
  const texts = await Promise.all(names.map((name) => readFile(join(import.meta.dirname, name), 'utf8')));
  const held = texts.flatMap((text) => [...text.matchAll(/^\s*recorded\('([\w-]+)'/gm)].map(([, id]) => id));
  expect(held.toSorted()).toEqual(Object.keys(rows).toSorted());
});

it('what has no record stands in docs/first-deployment.md', async () => {
  const text = await readFile(join(docs, 'first-deployment.md'), 'utf8');
  const looked = Object.values<Row>(rows).flatMap(({ look }) => (look === undefined ? [] : [look]));
  expect(looked.filter((number) => !text.includes(`\n| ${number} | `))).toEqual([]);
  expect(
    Object.values<Row>(rows).filter(({ verdict, look }) => verdict === 'unknown' && look === undefined),
  ).toEqual([]);
});
