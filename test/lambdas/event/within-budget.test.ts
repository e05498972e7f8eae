import { afterEach, expect, test, vi } from 'vitest';
import { OutOfBudget, withinBudget } from '../../../lambdas/event/within-budget.ts';

const budgetMs = 100;

afterEach(() => {
  vi.restoreAllMocks();
});

/** As if this thread had had so much of the processor while its work was done. */
function withCpuMs(ms: number): void {
  vi.spyOn(process, 'threadCpuUsage').mockReturnValue({ user: ms * 1000, system: 0 });
}

/** Sleeps, and whoever interrupts it wakes it. */
function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('work that was interrupted while others had the processor is tried again, with more time', () => {
  withCpuMs(0);
  let tries = 0;
  const result = withinBudget(300, () => {
    tries += 1;
    // More than the budget, also the second time; less than four times of it.
    wait(tries === 1 ? 60_000 : 310);
    return 'done';
  });
  expect([result, tries]).toEqual(['done', 2]);
});

test('but not a third time', () => {
  withCpuMs(0);
  const work = vi.fn(() => {
    wait(60_000);
  });
  expect(() => {
    withinBudget(budgetMs, work);
  }).toThrow(OutOfBudget);
  expect(work).toHaveBeenCalledTimes(2);
});

test('work that had its part of the processor is not tried again', () => {
  withCpuMs(budgetMs / 5);
  const work = vi.fn(() => {
    wait(60_000);
  });
  expect(() => {
    withinBudget(budgetMs, work);
  }).toThrow(OutOfBudget);
  expect(work).toHaveBeenCalledTimes(1);
});

test('what the work itself throws is thrown, and not tried again', () => {
  withCpuMs(0);
  const work = vi.fn(() => {
    throw new RangeError('its own');
  });
  expect(() => {
    withinBudget(budgetMs, work);
  }).toThrow(new RangeError('its own'));
  expect(work).toHaveBeenCalledTimes(1);
});
