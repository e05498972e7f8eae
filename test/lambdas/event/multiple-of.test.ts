import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeData } from '../../../lambdas/event/schema.ts';
import { isMultipleOf } from '../../../lambdas/event/multiple-of.ts';

describe('a multiple', () => {
  test.each([
    [19.99, 0.01],
    [0.3, 0.1],
    [-4.35, 0.01],
    [1.1, 1.1],
    [0, 0.25],
    [-0, 3],
    [9, 3],
    [7.5, 2.5],
    [1e300, 0.5],
    [5e-324, 5e-324],
  ])('%d is one of %d', (value, divisor) => {
    expect(isMultipleOf(value, divisor)).toBe(true);
  });

  test.each([
    [19.995, 0.01],
    [0.35, 0.1],
    [1, 10_000_000],
    [7, 2],
    [0.5, 1],
    [Infinity, 2],
    [1, 0],
    [1e-300, 1e300],
  ])('%d is none of %d', (value, divisor) => {
    expect(isMultipleOf(value, divisor)).toBe(false);
  });

  test('every price in cents is one of a cent, and none with half of one', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (cents) => {
        expect(isMultipleOf(Number(`${String(cents)}e-2`), 0.01)).toBe(true);
        expect(isMultipleOf(Number(`${String(cents * 10 + 5)}e-3`), 0.01)).toBe(false);
      }),
    );
  });
});

// Under strict, events with such prices were refused.
test('data with a price of 19.99 fit a schema that wants cents', () => {
  const schema = { properties: { price: { type: 'number', multipleOf: 0.01 } } };
  expect(judgeData({ schema }, { price: 19.99 })).toEqual({ kind: 'fits' });
  expect(judgeData({ schema }, { price: 19.999 })).toEqual({
    kind: 'breaks',
    sentence:
      'data break the schema of the event type at #/properties/price/multipleOf: must be a multiple of 0.01',
  });
});
