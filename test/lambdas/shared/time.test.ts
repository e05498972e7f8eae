import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expiryOf, isoTime, isoTimeAfter } from '../../../lambdas/shared/time.ts';

it('times are written in UTC with milliseconds', () => {
  expect(isoTime(Date.UTC(2026, 10, 23, 10))).toBe('2026-11-23T10:00:00.000Z');
});

it('no two changes of a thing have the same time, not even by a clock that is behind', () => {
  const before = '2026-11-23T10:00:00.000Z';
  expect(isoTimeAfter(before, Date.parse(before) + 5)).toBe('2026-11-23T10:00:00.005Z');
  expect(isoTimeAfter(before, Date.parse(before))).toBe('2026-11-23T10:00:00.001Z');
  expect(isoTimeAfter(before, Date.parse(before) - 3_600_000)).toBe('2026-11-23T10:00:00.001Z');
});

it('an item is kept for its whole retention, and at most a second longer', () => {
  const nowMs = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(nowMs, fc.integer({ min: 1, max: 365 }), (now, days) => {
      const keptMs = expiryOf(now, days) * 1000 - now;
      expect(keptMs).toBeGreaterThanOrEqual(days * 86_400_000);
      expect(keptMs).toBeLessThan(days * 86_400_000 + 1000);
    }),
  );
});
