import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import { pace } from '../../../../lambdas/endpoint/health/pace.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const unlimited = { rateLimitPerSecond: null };
const back = { ...well, backSince: isoTime(testStartMs) };
const at = (seconds: number) => testStartMs + seconds * 1_000;

describe('the pace of an endpoint', () => {
  test('that was never paused and has no limit is none, and takes no reservation', () => {
    expect(pace(unlimited, well, testStartMs)).toBeUndefined();
  });

  test.each([
    [0, 10],
    [15, 10 * Math.SQRT2],
    [30, 20],
    [60, 40],
    [120, 160],
    [270, 5_120],
    [299.999, 10_240],
    [300, undefined],
    [86_400, undefined],
  ])('that came back %d s ago is %d a second', (seconds, perSecond) => {
    const found = pace(unlimited, back, at(seconds));
    if (perSecond === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(perSecond, 0);
  });

  test.each([
    [5, 0, 5],
    [15, 0, 10],
    [15, 30, 15],
    [0.01, 600, 0.01],
    [10_000, 299, 10_000],
    [10_000, 600, 10_000],
  ])(
    'with a limit of %d a second that came back %d s ago is %d',
    (rateLimitPerSecond, seconds, perSecond) => {
      expect(pace({ rateLimitPerSecond }, back, at(seconds))).toBeCloseTo(perSecond, -1.5);
    },
  );

  test('with a limit that was never paused is the limit', () => {
    expect(pace({ rateLimitPerSecond: 7 }, well, testStartMs)).toBe(7);
  });

  test('is the first one when another function’s clock says that it will come back in a moment', () => {
    expect(pace(unlimited, back, at(-2))).toBe(10);
  });

  test('never falls while time passes, is never nothing, and never exceeds the limit', () => {
    const aTime = fc.double({ min: -10, max: 400, noNaN: true });
    const aLimit = fc.option(fc.double({ min: 0.01, max: 10_000, noNaN: true }));
    fc.assert(
      fc.property(aTime, aTime, aLimit, (one, other, rateLimitPerSecond) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map(
          (seconds) => pace({ rateLimitPerSecond }, back, at(seconds)) ?? Infinity,
        );
        expect(early).toBeGreaterThan(0);
        expect(early).toBeLessThanOrEqual(late ?? 0);
        expect(late).toBeLessThanOrEqual(rateLimitPerSecond ?? Infinity);
      }),
    );
  });
});
