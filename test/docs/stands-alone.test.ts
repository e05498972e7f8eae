import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
const texts = ['{bin,lib,lambdas,local,bench,test,verify,docs}/**/*.{ts,mjs,md}', '*.{md,js}'];
/** Papers of those who built it, which nobody else has; and numbers of what they were asked for. */
const elsewhere = [
  /\b(?:DESIGN|STYLE|failures|sender|aws|cost|peers|local)\.md\b/,
  /\(R\d{1,2}\)/,
  /(?<![\w/.])shared\/(?:cases|reference)/,
];

test('the project cites nothing that is not in it', () => {
  const files = globSync(texts, { cwd: root, exclude: (name) => name.includes('node_modules') });
  expect(files.length).toBeGreaterThan(500);
  const found = files
    .filter((file) => !file.endsWith('stands-alone.test.ts'))
    .filter((file) => elsewhere.some((paper) => paper.test(readFileSync(`${root}${file}`, 'utf8'))));
  expect(found).toEqual([]);
});
