import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import { pace, shareMax } from '../../../../lambdas/endpoint/health/pace.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const unlimited = { rateLimitPerSecond: null };
const back = { ...well, backSince: isoTime(testStartMs) };
const at = (seconds: number) => testStartMs + seconds * 1_000;
const slow = (ms: number, agoSeconds = 0) => ({
  ...well,
  slow: { ms, at: isoTime(testStartMs - agoSeconds * 1_000) },
});

describe('the pace of an endpoint', () => {
  test('that was never paused, is quick and has no limit is none, and takes no write', () => {
    expect(pace(unlimited, well, testStartMs)).toBeUndefined();
  });

  // In steps: ten a second, and twice as many each half minute.
  test.each([
    [0, 10],
    [29.999, 10],
    [30, 20],
    [59.999, 20],
    [60, 40],
    [120, 160],
    [269.999, 2_560],
    [270, 5_120],
    [299.999, 5_120],
    [300, undefined],
    [86_400, undefined],
  ])('that came back %d s ago is %d a second', (seconds, perSecond) => {
    expect(pace(unlimited, back, at(seconds))).toBe(perSecond);
  });

  test.each([
    [5, 0, 5],
    [15, 0, 10],
    [15, 30, 15],
    [0.01, 600, 0.01],
    [10_000, 299, 5_120],
    [10_000, 600, 10_000],
  ])(
    'with a limit of %d a second that came back %d s ago is %d',
    (rateLimitPerSecond, seconds, perSecond) => {
      expect(pace({ rateLimitPerSecond }, back, at(seconds))).toBe(perSecond);
    },
  );

  test('with a limit that was never paused is the limit', () => {
    expect(pace({ rateLimitPerSecond: 7 }, well, testStartMs)).toBe(7);
  });

  test('is the first one when another function’s clock says that it will come back in a moment', () => {
    expect(pace(unlimited, back, at(-2))).toBe(10);
  });

  // Little's law: at once = a second × seconds that each takes.
  test.each([
    [500, 20],
    [1_000, 10],
    [10_000, 1],
    [30_000, 1 / 3],
  ])('that takes %i ms to answer is %d a second: ten attempts at once', (ms, perSecond) => {
    expect(shareMax).toBe(10);
    expect(pace(unlimited, slow(ms), testStartMs)).toBeCloseTo(perSecond, 12);
  });

  test('that was slow is held to its share for five minutes since it was last seen to be', () => {
    expect(pace(unlimited, slow(10_000, 299), testStartMs)).toBe(1);
    expect(pace(unlimited, slow(10_000, 300), testStartMs)).toBeUndefined();
    expect(pace({ rateLimitPerSecond: 7 }, slow(10_000, 300), testStartMs)).toBe(7);
  });

  test('is the least of its limit, its ramp and its share', () => {
    const all = { ...back, ...slow(2_000) };
    expect(pace({ rateLimitPerSecond: 3 }, all, at(30))).toBe(3);
    expect(pace({ rateLimitPerSecond: 30 }, all, at(30))).toBe(5);
    expect(pace({ rateLimitPerSecond: 30 }, { ...back, ...slow(500) }, at(0))).toBe(10);
  });

  test('never falls while time passes, is never nothing, and never exceeds limit, ramp and share', () => {
    const aTime = fc.double({ min: -10, max: 400, noNaN: true });
    const aLimit = fc.option(fc.double({ min: 0.01, max: 10_000, noNaN: true }));
    const aDuration = fc.option(fc.integer({ min: 500, max: 30_000 }));
    fc.assert(
      fc.property(fc.tuple(aTime, aTime), aLimit, aDuration, ([one, other], rateLimitPerSecond, ms) => {
        const health = { ...back, ...(ms === null ? {} : slow(ms)) };
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map(
          (seconds) => pace({ rateLimitPerSecond }, health, at(seconds)) ?? Infinity,
        );
        expect(early).toBeGreaterThan(0);
        expect(early).toBeLessThanOrEqual(late ?? 0);
        expect(late).toBeLessThanOrEqual(rateLimitPerSecond ?? Infinity);
        if (ms !== null && one < 300) expect(early).toBeLessThanOrEqual(10_000 / ms);
      }),
    );
  });
});
