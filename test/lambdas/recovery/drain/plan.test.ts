import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backlog } from '../../../../lambdas/endpoint/health/backlog.ts';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../../lambdas/endpoint/health/health.ts';
import { defaultPolicy } from '../../../../lambdas/organization/policy.ts';
import { gateStateOf, planOf, stepMs } from '../../../../lambdas/recovery/drain/plan.ts';
import type { Plan } from '../../../../lambdas/recovery/drain/plan.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const nowMs = testStartMs;
const at = (ms: number) => isoTime(nowMs + ms);
const backlog: Backlog = { turn: 4, pass: 1, dueAt: at(180_000) };
const pause = (untilMs: number) => ({
  pause: { since: at(-60_000), until: at(untilMs), seconds: 60, cause: 'failures' as const },
});
const free = { kind: 'send', countMax: 5_000, onTheirWayMax: 5_000 };

/** The plan for an endpoint that is held to so many a second, when its clock stands so far from now. */
function planAt(perSecond: number, clockMs?: number): Plan {
  const clock = clockMs === undefined ? {} : { clock: at(clockMs) };
  const policy = { ...defaultPolicy, rateLimitPerSecond: perSecond };
  return planOf(well, { ...backlog, ...clock }, { policy, nowMs });
}

describe('a step', () => {
  test.each<[string, Health, typeof defaultPolicy | undefined]>([
    ['that no pace holds', well, defaultPolicy],
    ['that receives nothing any more: its rows end', well, undefined],
    ['that receives nothing, though it was paused', { ...well, ...pause(60_000) }, undefined],
    ['that was switched off', { ...well, off: { at: at(-1), reason: 'gone' } }, defaultPolicy],
    [
      'that was switched off while it came back',
      { ...well, off: { at: at(-1), reason: 'failing' }, backSince: at(-1) },
      defaultPolicy,
    ],
  ])('of an endpoint %s is as large as what is sent within seconds', (_, health, policy) => {
    expect(planOf(health, backlog, { policy, nowMs })).toEqual(free);
  });

  test.each([1, 60_000, 86_400_000])('of one that is paused for %i ms more sends nothing', (leftMs) => {
    const plan = planOf({ ...well, ...pause(leftMs) }, backlog, { policy: defaultPolicy, nowMs });
    expect(plan).toEqual({ kind: 'wait', untilMs: nowMs + leftMs });
  });

  // Also of one that is held to a pace: whether it lives is what is asked.
  test.each([0, -60_000])('of one whose pause ended %i ms ago sends a few, until a probe tells', (ms) => {
    const policy = { ...defaultPolicy, rateLimitPerSecond: 100 };
    const plan = planOf({ ...well, ...pause(ms) }, backlog, { policy, nowMs });
    expect(plan).toEqual({ kind: 'send', countMax: 3, onTheirWayMax: 3 });
  });

  test('of one that came back a moment ago keeps to the ramp', () => {
    const plan = planOf({ ...well, backSince: at(-31_000) }, backlog, { policy: defaultPolicy, nowMs });
    expect(plan).toMatchObject({ kind: 'send', countMax: 197, pace: { fromMs: nowMs } });
  });

  // A lane that is late costs that once, and not twice.
  test('that is the first one, and late, makes good for it as every later one does', () => {
    const policy = { ...defaultPolicy, rateLimitPerSecond: 20 };
    const first = (wantedMs: number) => planOf(well, backlog, { policy, nowMs, wantedMs: nowMs + wantedMs });
    expect(first(-50_000)).toMatchObject({ countMax: 1_182, pace: { fromMs: nowMs - 50_000 } });
    expect(first(-3_600_000)).toMatchObject({ countMax: 1_379, pace: { fromMs: nowMs - 60_000 } });
    expect(first(180_000)).toMatchObject({ countMax: 197, pace: { fromMs: nowMs } });
  });

  test('of one that takes long keeps to its share', () => {
    const slow = { ms: 10_000, at: at(0) };
    const plan = planOf({ ...well, slow }, backlog, { policy: defaultPolicy, nowMs });
    expect(plan).toMatchObject({ kind: 'send', countMax: 10, onTheirWayMax: 247 });
  });
});

describe('a pace', () => {
  // A little below it, so that leave is there when a message asks for it.
  test.each([
    ['for the first time', undefined, 197, 0],
    ['when all is sent until now', 0, 197, 0],
    ['when half of the step is sent', 5_000, 99, 5_000],
    ['when all but a little is sent', 9_999, 1, 9_999],
    ['when the step is late, makes good for it', -5_000, 296, -5_000],
    ['when it is very late, makes good for a minute', -60_000, 1_379, -60_000],
    ['when it is later than that, for no more', -3_600_000, 1_379, -60_000],
  ])('of twenty a second, %s', (...[, clockMs, countMax, fromMs]) => {
    const plan = planAt(20, clockMs);
    expect(plan).toMatchObject({ kind: 'send', countMax, onTheirWayMax: 4_738 });
    if (plan.kind !== 'send') throw new Error('it sends');
    expect(plan.pace?.fromMs).toBe(nowMs + fromMs);
    expect(plan.pace?.spacingMs).toBeCloseTo(1_000 / 19.7, 9);
  });

  test('waits when all is sent that is due until the next step', () => {
    expect(planAt(20, stepMs)).toEqual({ kind: 'wait', untilMs: nowMs + stepMs });
    expect(planAt(0.01, 90_000)).toEqual({ kind: 'wait', untilMs: nowMs + 90_000 });
  });

  // A step that is late by a minute leaves no gap; and the next one, if that is not, has nothing to send.
  test.each([
    ['two a second', 2, 138, 70_000],
    ['one in five seconds', 0.2, 14, 70_000],
  ])('of %s is sent ahead, by delay', (...[, perSecond, countMax, aheadMs]) => {
    expect(planAt(perSecond)).toMatchObject({ kind: 'send', countMax, pace: { fromMs: nowMs } });
    const untilMs = nowMs + aheadMs;
    expect(planAt(perSecond, aheadMs)).toEqual({ kind: 'wait', untilMs });
  });

  test('begins now when a slower one has sent further ahead than it ever would', () => {
    expect(planAt(20, 70_000)).toMatchObject({ kind: 'send', countMax: 197, pace: { fromMs: nowMs } });
  });

  test('slower than a row a step still sends one', () => {
    expect(planAt(0.01)).toMatchObject({ kind: 'send', countMax: 1, onTheirWayMax: 13 });
  });

  test('is kept and is used, whenever the steps come', () => {
    const aPace = fc.double({ min: 0.02, max: 100, noNaN: true });
    const aLateness = fc.integer({ min: 0, max: 30_000 });
    fc.assert(
      fc.property(aPace, fc.array(aLateness, { minLength: 5, maxLength: 60 }), (perSecond, lateness) => {
        const policy = { ...defaultPolicy, rateLimitPerSecond: perSecond };
        let [timeMs, sent, clock] = [nowMs, 0, isoTime(nowMs)];
        for (const lateMs of lateness) {
          const plan = planOf(well, { ...backlog, clock }, { policy, nowMs: timeMs });
          if (plan.kind === 'send' && plan.pace !== undefined) {
            sent += plan.countMax;
            clock = isoTime(Math.floor(plan.pace.fromMs + plan.countMax * plan.pace.spacingMs));
          }
          // What is due within the step is sent, and nothing of what is due more than a minute after it; one row of a rounding.
          const elapsedSeconds = (timeMs + stepMs - nowMs) / 1_000;
          expect(sent).toBeLessThanOrEqual(perSecond * 0.985 * (elapsedSeconds + 60) * 1.01 + 1);
          expect(sent).toBeGreaterThanOrEqual(perSecond * 0.985 * elapsedSeconds * 0.99 - 1);
          timeMs += stepMs + lateMs;
        }
      }),
    );
  });
});

describe('a gate', () => {
  const paused: Health = { ...well, ...pause(60_000) };

  test.each<[string, Health, Health]>([
    ['a pause begins', well, paused],
    ['a pause goes on for longer', paused, { ...well, ...pause(120_000) }],
    ['a pause ends', paused, { ...well, backSince: at(0) }],
    ['it is paused again after it came back', { ...well, backSince: at(0) }, paused],
    ['it comes back once more', { ...well, backSince: at(0) }, { ...well, backSince: at(1) }],
    ['it is switched off', well, { ...well, off: { at: at(0), reason: 'gone' } }],
  ])('is another one when %s', (_, before, after) => {
    expect(gateStateOf(after)).not.toBe(gateStateOf(before));
  });

  test('is the same while nothing changes that holds the rows', () => {
    const seen: Health = {
      ...{ ...paused, version: 9, failures: 10, warned: 0.5, slow: { ms: 900, at: at(0) } },
      unsaid: [{ kind: 'paused', at: at(0) }],
    };
    expect(gateStateOf(seen)).toBe(gateStateOf(paused));
  });
});
