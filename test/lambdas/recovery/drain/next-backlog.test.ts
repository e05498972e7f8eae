import { describe, expect, test } from 'vitest';
import type { Backlog } from '../../../../lambdas/endpoint/health/backlog.ts';
import {
  dueMark,
  nextBacklog,
  settleMs,
  watchedUntil,
} from '../../../../lambdas/recovery/drain/next-backlog.ts';
import type { Step } from '../../../../lambdas/recovery/drain/next-backlog.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const nowMs = testStartMs;
const at = (ms: number) => isoTime(nowMs + ms);
const minuteMs = 60_000;

const backlog: Backlog = {
  ...{ turn: 4, pass: 2, gate: 'gate', through: 'old place' },
  ...{ sentAt: at(-1_000), dueAt: at(180_000), mark: { through: 'older place', at: at(-minuteMs) } },
};

type Sent = Extract<Step, { kind: 'sent' }>;

/** A step that has found nothing to send, and nothing on its way. */
function aStep(given: Partial<Sent> = {}): Sent {
  return {
    ...{ kind: 'sent', backlog, onTheirWay: 0, sent: 0, through: 'place', isFull: false, isProbing: false },
    ...{ isEnd: false, isLeft: false, pace: undefined, ...given },
  };
}

/** When the next step is, from now. */
const nextMs = (step: Step) => nextBacklog(step, nowMs).untilMs - nowMs;
const after = (step: Step) => nextBacklog(step, nowMs).backlog;

describe('after a step that had to wait', () => {
  const waits = (ms: number): Step => ({ kind: 'waits', backlog, untilMs: nowMs + ms });

  test('the next one comes when the wait ends, and the backlog is as it was', () => {
    expect(nextMs(waits(minuteMs))).toBe(minuteMs);
    expect(after(waits(minuteMs))).toEqual(backlog);
  });

  test('longer than a message can, whoever comes every minute finds it at the very time', () => {
    expect(after(waits(900_000))?.dueAt).toBe(at(900_000 + 180_000));
    expect(after(waits(900_001))?.dueAt).toBe(at(900_001));
  });
});

describe('after a step that has sent something', () => {
  test('the next one comes soon: it begins where this one ended', () => {
    const step = aStep({ sent: 5_000, onTheirWay: 7 });
    expect(nextMs(step)).toBe(1_000);
    expect(after(step)).toEqual({ ...backlog, through: 'place', sentAt: at(0) });
  });

  test('at a pace, the next one comes when its messages are due, and the clock has moved on', () => {
    const pace = { spacingMs: 1_000 / 9.5, fromMs: nowMs - 2_000 };
    const step = aStep({ sent: 95, pace });
    expect(nextMs(step)).toBe(10_000);
    expect(after(step)?.clock).toBe(at(8_000));
  });

  test('to find out whether it lives, the next look comes in five seconds', () => {
    expect(nextMs(aStep({ sent: 3, isProbing: true }))).toBe(5_000);
  });

  // Functions that have not heard of it yet park some more, for seconds.
  test('what is found after the end was seen keeps nobody waiting behind it', () => {
    const step = aStep({ sent: 1, backlog: { ...backlog, emptyAt: at(-30_000) } });
    expect(after(step)?.emptyAt).toBe(at(-30_000));
  });

  test('and has found the end, what is fresh need not wait behind it, with steady traffic too', () => {
    expect(after(aStep({ sent: 1, isEnd: true }))?.emptyAt).toBe(at(0));
    expect(after(aStep({ sent: 1, isEnd: true, isProbing: true }))?.emptyAt).toBeUndefined();
  });

  test('and has found the end, is not late by the time in which there was nothing to send', () => {
    const pace = { spacingMs: 100, fromMs: nowMs - 60_000 };
    expect(after(aStep({ sent: 3, pace, isEnd: true }))?.clock).toBe(at(0));
    expect(after(aStep({ sent: 3, pace }))?.clock).toBe(at(-59_700));
  });

  test('as fast as it goes, a pace that begins later owes nothing for that time', () => {
    const paced = { ...backlog, clock: at(-60_000) };
    expect(after(aStep({ sent: 3, backlog: paced }))).not.toHaveProperty('clock');
  });

  test('what its pass has missed is sent again after its patience, though there is always more to send', () => {
    const left = after(aStep({ sent: 3, onTheirWay: 1, isLeft: true }));
    expect(left).toMatchObject({ pass: 5, leftovers: 1 });
    expect(left).not.toHaveProperty('mark');
    expect(after(aStep({ sent: 3, onTheirWay: 1 }))?.pass).toBe(2);
  });

  test('how far it has come is marked, and marked anew when nothing was left before the mark', () => {
    const { mark, ...unmarked } = backlog;
    const here = { through: 'place', at: at(0) };
    expect(after(aStep({ sent: 3, backlog: unmarked }))?.mark).toEqual(here);
    const old = (ms: number) => ({ ...backlog, mark: { through: 'older place', at: at(-ms) } });
    expect(after(aStep({ sent: 3, backlog: old(899_999) }))?.mark?.through).toBe('older place');
    expect(after(aStep({ sent: 3, backlog: old(900_000) }))?.mark).toEqual(here);
    const after2 = (ms: number) => dueMark({ ...old(ms), leftovers: 1 }, nowMs);
    expect([after2(1_799_999), after2(1_800_000)]).toEqual([undefined, 'older place']);
  });

  test('as much as a step may, the next one comes within a second', () => {
    expect(nextMs(aStep({ sent: 5_000, pace: { spacingMs: 0.1, fromMs: nowMs } }))).toBe(1_000);
  });
});

describe('after a step that has found nothing more to send, with something on its way', () => {
  const waiting = (given: Partial<Sent> = {}) => aStep({ onTheirWay: 2, ...given });
  const sentAgo = (ms: number, more: Partial<Backlog> = {}) => ({ ...backlog, sentAt: at(-ms), ...more });

  test.each([
    ['in half a minute', {}, 30_000],
    ['in five seconds, when there is no room for more', { isFull: true }, 5_000],
    ['in five seconds, when a probe is to tell', { isProbing: true }, 5_000],
    ['when its patience ends', { backlog: sentAgo(890_000) }, 10_000],
    ['when its patience with a probe ends', { backlog: sentAgo(57_000), isProbing: true }, 3_000],
  ])('it looks again %s', (_, given, ms) => {
    expect(nextMs(waiting(given))).toBe(ms);
    expect(after(waiting(given))?.pass).toBe(2);
  });

  test.each([
    [undefined, 15],
    [0, 15],
    [1, 30],
    [2, 60],
    [3, 120],
    [4, 240],
    [9, 240],
  ])('after %s passes that left something it is patient for %i minutes', (leftovers, minutes) => {
    const old = sentAgo(minutes * minuteMs - 1, leftovers === undefined ? {} : { leftovers });
    expect(after(waiting({ backlog: old }))?.pass).toBe(2);
    const older = { ...old, sentAt: at(-minutes * minuteMs) };
    expect(after(waiting({ backlog: older }))?.pass).toBe(5);
  });

  // What it has sent was lost, or is held up; of both copies the earlier pass's is dropped where it arrives.
  test('a new pass begins at the oldest row when its patience has ended', () => {
    const step = waiting({ backlog: sentAgo(900_000, { clock: at(5) }) });
    const { through, sentAt, mark, ...rest } = backlog;
    expect(after(step)).toEqual({ ...rest, clock: at(5), pass: 5, leftovers: 1 });
    expect([nextMs(step), through, sentAt, mark?.through]).toEqual([
      0,
      'old place',
      at(-1_000),
      'older place',
    ]);
  });

  test('a probe that was lost is sent again after a minute', () => {
    const step = waiting({ backlog: sentAgo(minuteMs), isProbing: true });
    expect(after(step)).toMatchObject({ pass: 5, leftovers: 1 });
  });

  test('rows that it passed over, since they are past their time, are not looked at again', () => {
    expect(after(waiting())?.through).toBe('place');
    expect(after(waiting({ through: undefined }))?.through).toBe('old place');
  });
});

describe('after a step that has found nothing at all', () => {
  const emptied = (agoMs: number) => aStep({ backlog: { ...backlog, emptyAt: at(-agoMs) } });

  test('the index seems empty, and the next look comes when it must have caught up', () => {
    expect(after(aStep())).toEqual({ ...backlog, through: 'place', emptyAt: at(0) });
    expect(nextMs(aStep())).toBe(5_000);
  });

  // Seed 26799: who remembers for five seconds that there is a backlog parks a row at the very moment of the first look.
  test.each([
    [5_000, 5_000],
    [5_030, 4_970],
    [10_000, 50_000],
  ])('%i ms later the next look comes in %i ms', (agoMs, ms) => {
    expect(nextMs(emptied(agoMs))).toBe(ms);
  });

  test('it is not over before that, however often it looks', () => {
    expect(after(emptied(settleMs - 1))).toMatchObject({ emptyAt: at(1 - settleMs) });
    expect(nextMs(emptied(settleMs - 1))).toBe(1);
  });

  test('it is over when it was empty all along', () => {
    expect(nextBacklog(emptied(settleMs), nowMs)).toEqual({ backlog: undefined, untilMs: nowMs });
  });

  test('it settles for a minute: longer than an index is behind, and than a backlog is remembered', () => {
    expect(settleMs).toBe(60_000);
  });
});

describe('whoever looks after a step whose message was lost', () => {
  const stepMs = nowMs + 10_000;

  test('comes three minutes after it', () => {
    for (const dueMs of [-60_000, 10_000, 40_000, 190_001, 3_600_000])
      expect(watchedUntil(at(dueMs), stepMs)).toBe(at(190_000));
  });

  // Another time costs two writes of an index.
  test('comes at the time that was set before, when that is soon after it', () => {
    for (const dueMs of [40_001, 100_000, 190_000]) expect(watchedUntil(at(dueMs), stepMs)).toBe(at(dueMs));
  });
});
