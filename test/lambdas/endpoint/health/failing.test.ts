import { describe, expect, test } from 'vitest';
import { leased, resumed, well } from '../../../../lambdas/endpoint/health/health.ts';
import type { EffectivePolicy } from '../../../../lambdas/organization/policy.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import {
  after,
  at,
  breaker,
  byProbe,
  failure,
  hourMs,
  kindsOf,
  many,
  noBreaker,
  saidIn,
  secondMs,
  success,
} from './a-history.ts';
import type { History } from './a-history.ts';

/** One failure an hour, from the first to the last of these hours. */
function hourly(from: number, to: number): History {
  return Array.from({ length: to - from + 1 }, (_, index) => [failure, (from + index) * hourMs] as const);
}

describe('nothing but failure', () => {
  const policy: EffectivePolicy = { ...noBreaker, disableAfterHours: 120 };

  test.each([
    [59, []],
    [60, ['failing']],
    [89, ['failing']],
    [90, ['failing', 'failing']],
    [119, ['failing', 'failing']],
    [120, ['failing', 'failing', 'disabled']],
    [200, ['failing', 'failing', 'disabled']],
  ])('for %i hours has said %j', (hours, said) => {
    expect(kindsOf(saidIn(hourly(0, hours), { policy }))).toEqual(said);
  });

  test('for the hours of the policy switches the endpoint off, and not before', () => {
    expect(after(hourly(0, 119), { policy }).off).toBeUndefined();
    expect(after(hourly(0, 120), { policy }).off).toEqual({ at: at(120 * hourMs), reason: 'failing' });
  });

  test('is said with the time of the end', () => {
    expect(saidIn(hourly(0, 90), { policy })).toEqual([
      { kind: 'failing', at: at(60 * hourMs), until: at(120 * hourMs) },
      { kind: 'failing', at: at(90 * hourMs), until: at(120 * hourMs) },
    ]);
  });

  test('that is first seen late is said once, not twice', () => {
    const seenAt = (...hours: number[]) =>
      kindsOf(
        saidIn(
          hours.map((hour) => [failure, hour * hourMs]),
          { policy },
        ),
      );
    expect(seenAt(0, 40, 80, 100)).toEqual(['failing', 'failing']);
    expect(seenAt(0, 47, 94)).toEqual(['failing']);
  });

  test('ends with one success: the hours begin anew, and so do the warnings', () => {
    const seen = [...hourly(0, 100), [success, 100.5 * hourMs] as const, ...hourly(101, 161)];
    expect(after(seen, { policy }).off).toBeUndefined();
    expect(saidIn(seen, { policy }).slice(2)).toEqual([
      { kind: 'failing', at: at(161 * hourMs), until: at(221 * hourMs) },
    ]);
  });

  test('that was interrupted for 48 hours is new: one event a week is not failing for weeks', () => {
    const weekly = [0, 168, 336, 504].map((hour) => [failure, hour * hourMs] as const);
    const health = after(weekly, { policy });
    expect(health).toMatchObject({ failures: 1, failingSince: at(504 * hourMs), unsaid: [] });
    expect(health.off).toBeUndefined();
    const before = after(hourly(0, 10), { policy });
    const gap = (hours: number) => after([[failure, (10 + hours) * hourMs]], { from: before, policy });
    expect(gap(47.9).failingSince).toBe(at(0));
    expect(gap(48).failingSince).toBe(at(58 * hourMs));
  });

  test('is never the end where the policy says so', () => {
    const health = after(hourly(0, 2_000), { policy: noBreaker });
    expect(health.off).toBeUndefined();
    expect(health.unsaid).toEqual([]);
  });

  test('also ends an endpoint that only its probes reach', () => {
    const both = { ...policy, circuitBreaker: breaker };
    let health = after(many(failure, 10, 30 * secondMs), { policy: both });
    for (let hour = 1; hour <= 120; hour += 1) {
      health = leased(health, testStartMs + hour * hourMs);
      health = after([[byProbe(failure), hour * hourMs]], { from: health, policy: both });
    }
    expect(health.off?.reason).toBe('failing');
    expect(health.pause).toBeUndefined();
    expect(kindsOf(health.unsaid)).toEqual(['paused', 'failing', 'failing', 'disabled']);
  });

  test('counts from the end of the day of grace when a person has switched it on', () => {
    const off = after(hourly(0, 120), { policy });
    const resumedMs = 130 * hourMs;
    const from = resumed(off, testStartMs + resumedMs);
    const hours = (to: number) => after(hourly(130, to), { from, policy });
    const graceHours = 24;
    expect(hours(130 + graceHours + 59).unsaid).toEqual(from.unsaid);
    expect(hours(130 + graceHours + 60).unsaid.at(-1)?.kind).toBe('failing');
    expect(hours(130 + graceHours + 119).off).toBeUndefined();
    expect(hours(130 + graceHours + 120).off?.reason).toBe('failing');
  });

  test('takes no account of a grace that was long ago', () => {
    const from = resumed(well, testStartMs - 100 * hourMs);
    expect(after(hourly(0, 119), { from, policy }).off).toBeUndefined();
    expect(after(hourly(0, 120), { from, policy }).off).toBeDefined();
  });
});
