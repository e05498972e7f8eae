import { RE2JS } from 're2js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { judgeData } from '../../../lambdas/event/schema.ts';
import * as budget from '../../../lambdas/event/within-budget.ts';

vi.mock('../../../lambdas/event/within-budget.ts', { spy: true });

/** The clock of what is remembered, which lets go of its own reading by a timer. */
let nowMs = 1_000;
const pass = (ms: number) => {
  nowMs += ms;
  vi.runAllTimers();
};

let clock: { readonly mockRestore: () => void };
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  clock.mockRestore();
  vi.useRealTimers();
});

test('a schema that once took too long to be compiled is tried again: it was given up as long as the function lived', () => {
  const schema = { type: 'object', required: ['again'] };
  const compile = vi.mocked(budget.withinBudget).mockImplementationOnce(() => {
    throw new budget.OutOfBudget();
  });
  expect(judgeData({ schema }, { again: 1 }).kind).toBe('not_judged');
  pass(299_000);
  expect(judgeData({ schema }, { again: 1 }).kind).toBe('not_judged');
  expect(compile).toHaveBeenCalledTimes(1);
  pass(2_000);
  expect(judgeData({ schema }, { again: 1 }).kind).toBe('fits');
  expect(judgeData({ schema }, {}).kind).toBe('breaks');
});

test('one that can never be compiled is not tried again', () => {
  const schema = { type: 'object', $ref: '#/$defs/nothing' };
  const compile = vi.mocked(budget.withinBudget).mockClear();
  expect(judgeData({ schema }, {}).kind).toBe('not_judged');
  pass(86_400_000);
  expect(judgeData({ schema }, {}).kind).toBe('not_judged');
  expect(compile).toHaveBeenCalledTimes(1);
});

test('data that took too long do not have the schema compiled again: that may take longer than they may', () => {
  const schema = { type: 'object', required: ['judged'] };
  const within = vi.mocked(budget.withinBudget);
  expect(judgeData({ schema }, { judged: 1 }).kind).toBe('fits');
  within.mockClear().mockImplementationOnce(() => {
    throw new budget.OutOfBudget();
  });
  expect(judgeData({ schema }, { judged: 1 }).kind).toBe('not_judged');
  expect(judgeData({ schema }, { judged: 1 }).kind).toBe('fits');
  expect(judgeData({ schema }, {}).kind).toBe('breaks');
  expect(within).toHaveBeenCalledTimes(3);
});

test('what a pattern remembers is not trusted once judging was ended in the midst of it', () => {
  const reading = vi.spyOn(RE2JS.prototype, 'test');
  const judge = (a: string) =>
    judgeData({ schema: { properties: { a: { pattern: '^midst$' } } } }, { a }).kind;
  const reader = () => reading.mock.contexts.at(-1);
  judge('midst');
  const first = reader();
  judge('midst');
  expect(reader()).toBe(first);
  reading.mockImplementationOnce(() => {
    throw new RangeError('Maximum call stack size exceeded');
  });
  expect(judge('midst')).toBe('not_judged');
  expect([judge('midst'), judge('other')]).toEqual(['fits', 'breaks']);
  expect(reader()).not.toBe(first);
  reading.mockRestore();
});
