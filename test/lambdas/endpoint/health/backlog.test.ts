import { describe, expect, test } from 'vitest';
import { backlog, isOpen, raised, wantedNow } from '../../../../lambdas/endpoint/health/backlog.ts';
import type { Backlog } from '../../../../lambdas/endpoint/health/backlog.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const at = (ms: number) => isoTime(testStartMs + ms);

/** As it may be in the middle of a pass. */
const begun: Backlog = {
  ...{ turn: 7, pass: 3, gate: 'gate', through: 'place', sentAt: at(-1), clock: at(1) },
  ...{ leftovers: 2, dueAt: at(60_000) },
};

describe('a backlog', () => {
  test('is open until it seemed empty, and open again when something is parked', () => {
    expect(isOpen(undefined)).toBe(false);
    expect(isOpen(begun)).toBe(true);
    const emptied = { ...begun, emptyAt: at(-1) };
    expect(isOpen(emptied)).toBe(false);
    expect(isOpen(raised(emptied, testStartMs, testStartMs))).toBe(true);
  });

  test('begins with the first delivery that is parked, before any step', () => {
    const first = raised(undefined, testStartMs, testStartMs + 3_000);
    expect(first).toEqual({ turn: 0, pass: 1, dueAt: at(3_000) });
  });

  // The step that is about to end it for good must find that it is no longer the last one.
  test('that seemed empty counts a turn when something is parked after all, and keeps its place', () => {
    const again = raised({ ...begun, emptyAt: at(-1) }, testStartMs, testStartMs + 3_000);
    expect(again).toEqual({ ...begun, turn: begun.turn + 1, dueAt: at(3_000) });
  });

  test('is wanted now when its endpoint may receive again, at the step and the place where it was', () => {
    expect(wantedNow(begun, testStartMs)).toEqual({ ...begun, dueAt: at(0) });
    expect(wantedNow(undefined, testStartMs)).toBeUndefined();
  });

  test('is read back as it was written', () => {
    const whole = { ...begun, emptyAt: at(-1) };
    expect(backlog.parse({ ...whole, unknown: 1 })).toEqual(whole);
  });
});

test('a backlog of which an earlier version said since when it is there can be read', () => {
  const known = { turn: 1, pass: 1, dueAt: at(0) };
  expect(backlog.parse({ ...known, since: at(-1) })).toEqual(known);
});
