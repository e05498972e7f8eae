import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../../lambdas/endpoint/health/health.ts';
import { hungAfterMs, observeHanging, slowMs, timed } from '../../../../lambdas/endpoint/health/slow.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const at = (ms: number) => isoTime(testStartMs + ms);
const slowSince = (agoMs: number, ms = 9_000, given: Partial<Health> = {}): Health => ({
  ...well,
  slow: { ms, at: at(-agoMs) },
  ...given,
});
const backlog = { turn: 2, pass: 1, dueAt: at(60_000) };

describe('an endpoint that hangs', () => {
  test('is taken to need its whole timeout, until it has answered', () => {
    expect(observeHanging(well, { worstMs: 30_000 }, testStartMs)).toEqual({
      ...well,
      slow: { ms: 30_000, at: at(0) },
    });
  });

  test('that was slow before is taken to be as slow as it was then', () => {
    expect(observeHanging(slowSince(5_000), { worstMs: 30_000 }, testStartMs).slow).toEqual({
      ms: 9_000,
      at: at(0),
    });
  });

  test('is not taken to be as slow as it was before it was let go: hanging, it would get that pace', () => {
    expect(observeHanging(slowSince(300_001, 600), { worstMs: 30_000 }, testStartMs).slow?.ms).toBe(30_000);
  });

  // Else it would hold as many as a pace of 17 a second allows within a whole timeout.
  test('though it was held to its mean is taken to need its whole timeout when its share has waited for far longer', () => {
    const held = slowSince(1_000, 600);
    expect(hungAfterMs(held, testStartMs)).toBe(2_400);
    expect(hungAfterMs(well, testStartMs)).toBeUndefined();
    expect(hungAfterMs(slowSince(300_001, 600), testStartMs)).toBeUndefined();
    const hanging = { worstMs: 30_000, isBeyondMean: true };
    const noted = observeHanging(held, hanging, testStartMs);
    expect(noted.slow).toEqual({ ms: 30_000, at: at(0) });
    expect(observeHanging(noted, hanging, testStartMs)).toBe(noted);
    expect(observeHanging(slowSince(1_000, 40_000), hanging, testStartMs).slow?.ms).toBe(40_000);
  });

  test('is noted once in five seconds, however many attempts hang', () => {
    const noted = slowSince(4_999);
    expect(observeHanging(noted, { worstMs: 30_000 }, testStartMs)).toBe(noted);
    expect(observeHanging(slowSince(5_000), { worstMs: 30_000 }, testStartMs).slow?.at).toBe(at(0));
  });

  test('and has been switched off changes nothing', () => {
    const off: Health = { ...well, off: { at: at(-1), reason: 'gone' } };
    expect(observeHanging(off, { worstMs: 30_000 }, testStartMs)).toBe(off);
  });
});

describe('an answer', () => {
  test('of an endpoint of which too little is known changes nothing', () => {
    expect(timed(well, undefined, testStartMs)).toBe(well);
    const held = slowSince(10_000);
    expect(timed(held, undefined, testStartMs)).toBe(held);
  });

  test.each([
    [slowMs - 1, undefined],
    [slowMs, 500],
    [10_000.4, 10_000],
  ])('of %d ms has its endpoint take %s', (durationMs, ms) => {
    const slow = ms === undefined ? undefined : { ms, at: at(0) };
    expect(timed(well, durationMs, testStartMs).slow).toEqual(slow);
  });

  test.each([
    ['as long as the one before', 9_000, true],
    ['a third longer', 12_000, true],
    ['a third shorter', 6_001, true],
    ['half as long again', 13_500, false],
    ['two thirds as long', 6_000, false],
  ])('that takes %s, of a moment ago, is worth no write: %s', (_, durationMs, isKnown) => {
    const before = slowSince(4_999);
    const after = timed(before, durationMs, testStartMs);
    if (isKnown) expect(after).toBe(before);
    else expect(after.slow).toEqual({ ms: durationMs, at: at(0) });
  });

  test('that is as slow as before is noted anew after five seconds', () => {
    expect(timed(slowSince(5_000), 9_000, testStartMs).slow).toEqual({ ms: 9_000, at: at(0) });
  });

  test('that is quick makes its endpoint quick when nothing slow was seen for ten seconds', () => {
    const noted = slowSince(9_999);
    expect(timed(noted, 20, testStartMs)).toBe(noted);
    expect(timed(slowSince(10_000), 20, testStartMs)).toEqual(well);
    expect(timed(slowSince(10_000), 20, testStartMs)).not.toHaveProperty('slow');
    expect(timed(well, 20, testStartMs)).toBe(well);
  });

  // Its share had let in a few a second; without a ramp all that has waited would come at once.
  test('that is quick has what has waited meanwhile come back at a growing pace', () => {
    const quick = timed(slowSince(10_000, 9_000, { backlog }), 20, testStartMs);
    expect(quick).toEqual({ ...well, backSince: at(0), backlog: { ...backlog, dueAt: at(0) } });
  });

  test('that is quick ends no pause', () => {
    const pause = { since: at(-1), until: at(60_000), seconds: 60, cause: 'failures' as const };
    const quick = timed(slowSince(10_000, 9_000, { backlog, pause }), 20, testStartMs);
    expect(quick).toEqual({ ...well, backlog, pause });
  });

  test('whatever it takes is worth a write a few times in ten seconds at most', () => {
    // Within a half of one another: what an endpoint takes when it takes about the same.
    const durations = fc.array(fc.integer({ min: 2_000, max: 2_900 }), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(durations, (all) => {
        let health = well;
        let writes = 0;
        for (const [index, durationMs] of all.entries()) {
          const after = timed(health, durationMs, testStartMs + index * 50);
          if (after !== health) writes += 1;
          health = after;
        }
        expect(writes).toBeLessThanOrEqual(3);
      }),
    );
  });
});
