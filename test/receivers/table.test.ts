import { describe, expect, it } from 'vitest';
import { columns, exitCodeOf, explanations, tableOf, tallyOf } from './table.ts';
import type { Row } from './table.ts';

const passed: Row = {
  title: 'Here',
  scheme: 'hmac',
  outcome: { kind: 'ran', failures: new Map(), seen: new Set(['1 byte']) },
};
const failed: Row = {
  title: 'There',
  scheme: 'jwt',
  outcome: { kind: 'ran', failures: new Map([['stale', 'it got 204']]), seen: new Set(['1 byte', 'stale']) },
};
const notRun: Row = { title: 'Away', scheme: 'hmac', outcome: { kind: 'not run', reason: 'go is missing' } };
const broken: Row = { title: 'Ill', scheme: 'hmac', outcome: { kind: 'broken', reason: 'no start' } };

describe('the table of the receivers', () => {
  it('counts a language that was not run as neither passed nor failed', () => {
    expect(tallyOf([passed, notRun])).toEqual({ passed: 1, failed: 0, notRun: 1 });
  });

  it('shows no ok for what was not run, and says why', () => {
    const line = tableOf([notRun]).split('\n').at(-1);

    expect(line?.match(/not run/g)).toHaveLength(columns.length);
    expect(line).not.toContain('ok');
    expect(explanations([notRun])).toEqual(['Away, hmac: not run: go is missing']);
  });

  it('marks what failed and tells what was seen instead', () => {
    expect(tableOf([failed])).toContain('FAILED');
    expect(explanations([failed, broken])).toEqual([
      'There, jwt: stale: FAILED: it got 204',
      'Ill, hmac: FAILED: no start',
    ]);
  });

  it.each([
    [[passed], false, 0],
    [[passed, notRun], false, 0],
    [[passed, notRun], true, 1],
    [[passed, failed], false, 1],
    [[passed, broken], false, 1],
    [[], false, 1],
  ])('ends with a code that tells failures from passes', (rows, requireAll, code) => {
    expect(exitCodeOf(tallyOf(rows), requireAll)).toBe(code);
  });

  it('counts a row in which nothing was seen as failed', () => {
    const nothing: Row = { ...passed, outcome: { kind: 'ran', failures: new Map(), seen: new Set() } };

    expect(tallyOf([nothing])).toEqual({ passed: 0, failed: 1, notRun: 0 });
  });
});
