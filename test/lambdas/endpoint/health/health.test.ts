import { describe, expect, test } from 'vitest';
import {
  addNotice,
  admission,
  health,
  isAhead,
  leased,
  resumed,
  showHealth,
  well,
} from '../../../../lambdas/endpoint/health/health.ts';
import type { Health, Notice } from '../../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const at = (ms: number) => isoTime(testStartMs + ms);

/** An endpoint that has failed for a minute and is paused for so long from now on. */
function pausedFor(ms: number, given: Partial<Health> = {}): Health {
  const pause = { since: at(0), until: at(ms), seconds: 60, cause: 'failures' as const };
  const unsaid = [{ kind: 'paused' as const, at: at(-1_000) }];
  return { ...well, version: 4, failures: 10, failingSince: at(-60_000), pause, unsaid, ...given };
}

describe('admission', () => {
  test('lets all attempts to an endpoint go that is not paused, however it does', () => {
    for (const one of [well, { ...well, failures: 9, failingSince: at(-1) }])
      expect(admission(one, testStartMs)).toEqual({ kind: 'go' });
  });

  test('asks for a probe from the end of the pause on', () => {
    expect(admission(pausedFor(0), testStartMs)).toEqual({ kind: 'probe' });
    expect(admission(pausedFor(-86_400_000), testStartMs)).toEqual({ kind: 'probe' });
  });

  // The drain brings back what has waited: nothing is spread here, or handed a time of its own.
  test.each([1, 1_000, 60_000, 86_400_000])(
    'has all wait for the end of a pause that lasts %i ms more',
    (leftMs) => {
      const untilMs = testStartMs + leftMs;
      expect(admission(pausedFor(leftMs), testStartMs)).toEqual({ kind: 'wait', untilMs });
      expect(admission(pausedFor(leftMs), untilMs - 1)).toEqual({ kind: 'wait', untilMs });
    },
  );
});

describe('a lease', () => {
  test('holds all others back, longer than a function takes for an attempt', () => {
    const lease = leased(pausedFor(0), testStartMs);
    const untilMs = testStartMs + 75_000;
    expect(admission(lease, testStartMs + 60_000)).toEqual({ kind: 'wait', untilMs });
    expect(admission(lease, untilMs)).toEqual({ kind: 'probe' });
  });

  test('changes nothing else', () => {
    const { pause, ...others } = leased(pausedFor(0), testStartMs);
    const { pause: before, ...othersBefore } = pausedFor(0);
    expect(others).toEqual(othersBefore);
    expect(pause).toEqual({ ...before, until: at(75_000), probing: true });
  });

  test('of an endpoint that is not paused is none', () => {
    expect(leased(well, testStartMs)).toBe(well);
  });
});

describe('what waits to be said while the bus is down', () => {
  const kinds = ['paused', 'resumed', 'failing', 'disabled'] as const;
  const notices: Notice[] = Array.from({ length: 1_000 }, (_, index) => ({
    kind: kinds[index % 2] ?? 'paused',
    at: at(index),
  }));
  const all = (said: readonly Notice[]) => said.reduce<Notice[]>(addNotice, []);

  test('is all that there is, as long as it is little', () => {
    expect(all(notices.slice(0, 10))).toEqual(notices.slice(0, 10));
  });

  test('is ten notices at most: the oldest that a later one of its kind has overtaken goes', () => {
    expect(all(notices)).toEqual(notices.slice(-10));
  });

  test('never lacks the latest of a kind, however old it is', () => {
    const [disabled, failing] = [
      { kind: 'disabled', at: at(-2) },
      { kind: 'failing', at: at(-1) },
    ] as const;
    expect(all([disabled, failing, ...notices])).toEqual([disabled, failing, ...notices.slice(-8)]);
  });

  test('shrinks, where a version before this one has let it grow', () => {
    expect(addNotice(notices.slice(0, 500), { kind: 'disabled', at: at(2_000) })).toEqual([
      ...notices.slice(491, 500),
      { kind: 'disabled', at: at(2_000) },
    ]);
  });

  test('does not grow by what a person does again and again', () => {
    let health = pausedFor(60_000);
    for (let times = 0; times < 100; times += 1) {
      const { unsaid } = resumed(health, testStartMs + times);
      health = pausedFor(60_000, { unsaid });
    }
    expect(health.unsaid).toHaveLength(10);
  });
});

describe('an endpoint that a person has switched on', () => {
  const off = { ...well, version: 7, off: { at: at(-1), reason: 'failing' as const }, failures: 10 };

  test('starts anew, with a day of grace, and over the version that was read', () => {
    const warned = pausedFor(60_000, { warned: 0.5, slow: { ms: 9_000, at: at(-1) }, lastFailureAt: at(-1) });
    expect(resumed({ ...warned, unsaid: [] }, testStartMs)).toEqual({
      version: 4,
      failures: 0,
      warned: 0,
      graceUntil: at(86_400_000),
      backSince: at(0),
      unsaid: [{ kind: 'resumed', at: at(0), reason: 'by_hand' }],
    });
  });

  test('stays whose it is, and has what waits for it looked after now', () => {
    const waiting = { turn: 3, pass: 2, gate: 'x', dueAt: at(86_400_000) };
    const before = pausedFor(60_000, { organizationId: 'org_1', backlog: waiting });
    expect(resumed(before, testStartMs)).toMatchObject({
      organizationId: 'org_1',
      backlog: { ...waiting, dueAt: at(0) },
    });
    expect(resumed(pausedFor(1), testStartMs).backlog).toBeUndefined();
  });

  test.each([
    ['switched off', off],
    ['paused', pausedFor(60_000)],
  ])('comes back slowly after it was %s, and people are told', (_, before) => {
    const after = resumed(before, testStartMs);
    expect(showHealth(after)).toEqual({ state: 'ok' });
    expect(after.backSince).toBe(at(0));
    expect(after.unsaid).toEqual([...before.unsaid, { kind: 'resumed', at: at(0), reason: 'by_hand' }]);
  });

  test('and that was never stopped needs no pace, and nobody is told', () => {
    const after = resumed({ ...well, failures: 3, failingSince: at(-1) }, testStartMs);
    expect(after).toEqual({ ...well, graceUntil: at(86_400_000) });
  });
});

describe('what waits to be said while the bus is down', () => {
  const kinds = ['paused', 'resumed', 'failing', 'disabled'] as const;
  const notices: Notice[] = Array.from({ length: 1_000 }, (_, index) => ({
    kind: kinds[index % 2] ?? 'paused',
    at: at(index),
  }));
  const all = (said: readonly Notice[]) => said.reduce<Notice[]>(addNotice, []);

  test('is all that there is, as long as it is little', () => {
    expect(all(notices.slice(0, 10))).toEqual(notices.slice(0, 10));
  });

  test('is ten notices at most: the oldest that a later one of its kind has overtaken goes', () => {
    expect(all(notices)).toEqual(notices.slice(-10));
  });

  test('never lacks the latest of a kind, however old it is', () => {
    const [disabled, failing] = [
      { kind: 'disabled', at: at(-2) },
      { kind: 'failing', at: at(-1) },
    ] as const;
    expect(all([disabled, failing, ...notices])).toEqual([disabled, failing, ...notices.slice(-8)]);
  });

  test('shrinks, where a version before this one has let it grow', () => {
    expect(addNotice(notices.slice(0, 500), { kind: 'disabled', at: at(2_000) })).toEqual([
      ...notices.slice(491, 500),
      { kind: 'disabled', at: at(2_000) },
    ]);
  });

  test('does not grow by what a person does again and again', () => {
    let health = pausedFor(60_000);
    for (let times = 0; times < 100; times += 1) {
      const { unsaid } = resumed(health, testStartMs + times);
      health = pausedFor(60_000, { unsaid });
    }
    expect(health.unsaid).toHaveLength(10);
  });
});

describe('what is shown of an endpoint’s health', () => {
  const failingSince = at(-60_000);
  const off = (reason: 'gone' | 'failing') => ({ ...well, failingSince, off: { at: at(-1), reason } });

  test.each<[string, Health, object]>([
    ['nothing is known', well, { state: 'ok' }],
    ['it fails', { ...well, failingSince }, { state: 'failing', failingSince }],
    [
      'it is paused',
      pausedFor(60_000),
      { state: 'paused', failingSince, pausedUntil: at(60_000), reason: 'failures' },
    ],
    ['it is gone', off('gone'), { state: 'disabled', failingSince, disabledAt: at(-1), reason: 'gone' }],
    [
      'it failed too long',
      off('failing'),
      { state: 'disabled', failingSince, disabledAt: at(-1), reason: 'failing' },
    ],
    ['it was resumed', resumed(pausedFor(1), testStartMs), { state: 'ok' }],
  ])('when %s', (_, given, shown) => {
    expect(showHealth(given)).toEqual(shown);
  });
});

test('a moment lies ahead until it has come; one that is not there has passed', () => {
  expect(isAhead(at(1), testStartMs)).toBe(true);
  expect(isAhead(at(0), testStartMs)).toBe(false);
  expect(isAhead(at(-1), testStartMs)).toBe(false);
  expect(isAhead(undefined, testStartMs)).toBe(false);
});

test('health is read back as it was written, and nothing that is unknown is kept', () => {
  const slow = { ms: 501, at: at(1) };
  const backlog = { turn: 1, pass: 1, gate: 'g', through: 't', sentAt: at(1), dueAt: at(2) };
  const full = { ...resumed(pausedFor(1), testStartMs), slow, backlog, sayAfter: at(2) };
  expect(health.parse({ pk: 'ENDPOINT#one', sk: 'HEALTH', ...full })).toEqual(full);
});
