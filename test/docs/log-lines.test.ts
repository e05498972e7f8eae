import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

/** Lines that functions write, by the first argument of the log. */
function written(): string[] {
  const sources = globSync('lambdas/**/*.ts', { cwd: root }).map((file) =>
    readFileSync(`${root}${file}`, 'utf8'),
  );
  // `log('a')`, and `log(isThis ? 'a' : 'b')`.
  const calls = sources.flatMap((source) =>
    [...source.matchAll(/\blog\(([^,{]+)[,{]/g)].map(([, name]) => name ?? ''),
  );
  const names = calls.flatMap((call) =>
    [...call.matchAll(/'([a-z_]+\.[a-z_]+)'/g)].map(([, name]) => name ?? ''),
  );
  return [...new Set(names)].toSorted();
}

/** Those that the table of docs/operations.md explains. */
function explained(): string[] {
  const page = readFileSync(`${root}docs/operations.md`, 'utf8');
  const [, table = ''] = /^## Log lines$(.*?)^## /ms.exec(page) ?? [];
  const firstCells = table.split('\n').map((line) => line.split('|')[1] ?? '');
  return firstCells
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
    .toSorted();
}

test('each line that a function logs is explained in docs/operations.md, and no other', () => {
  expect(written().length).toBeGreaterThan(20);
  expect(explained()).toEqual(written());
});
