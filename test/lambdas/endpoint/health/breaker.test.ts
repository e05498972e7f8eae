import { describe, expect, test } from 'vitest';
import { leased, well } from '../../../../lambdas/endpoint/health/health.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import {
  after,
  afterPauseMs,
  at,
  breaker,
  byProbe,
  failure,
  gone,
  hourMs,
  kindsOf,
  many,
  minuteMs,
  noBreaker,
  ownFault,
  patience,
  pauseMs,
  paused,
  probed,
  quick,
  secondMs,
  success,
  throttle,
} from './a-history.ts';

describe('the breaker', () => {
  test.each([
    ['nine failures in 30 s', many(failure, 9, 30 * secondMs), false],
    ['ten failures in 30 s', many(failure, 10, 30 * secondMs), true],
    ['ten failures in less than 30 s', many(failure, 10, 30 * secondMs - 1), false],
    ['a hundred failures in less than 30 s', many(failure, 100, 29 * secondMs), false],
    [
      'one failure after 30 s that ten have filled',
      [...many(failure, 10, secondMs), [failure, 31_000]],
      true,
    ],
    ['nineteen answers that ask for patience', many(throttle, 19, 30 * secondMs), false],
    ['twenty answers that ask for patience', many(throttle, 20, 30 * secondMs), true],
    [
      'nine failures and one that asks for patience',
      [...many(failure, 9, 29 * secondMs), [throttle, 30_000]],
      false,
    ],
    [
      'nine failures and two that ask for patience',
      [...many(failure, 9, 29 * secondMs), [throttle, 30_000], [throttle, 31_000]],
      true,
    ],
    [
      'ten failures that a success has interrupted',
      [...many(failure, 9, 30 * secondMs), [success, 31_000], [failure, 62_000]],
      false,
    ],
  ] as const)('by %s: open is %s', (_, seen, isOpen) => {
    expect(after(seen).pause !== undefined).toBe(isOpen);
  });

  test('pauses for as long as the policy says, and says so', () => {
    const pause = { since: at(pauseMs), until: at(pauseMs + minuteMs), seconds: 60, cause: 'failures' };
    expect(paused.pause).toEqual(pause);
    const until = at(pauseMs + minuteMs);
    expect(paused.unsaid).toEqual([{ kind: 'paused', at: at(pauseMs), reason: 'failures', until }]);
  });

  test('pauses for no longer than the longest pause of the policy', () => {
    const policy = { ...quick, circuitBreaker: { ...breaker, maximumPauseSeconds: 20 } };
    expect(after(many(failure, 10, 30 * secondMs), { policy }).pause).toMatchObject({
      seconds: 20,
      until: at(pauseMs + 20_000),
    });
  });

  test('asks for no time without success where the policy asks for none', () => {
    const policy = { ...quick, circuitBreaker: { ...breaker, failures: 2, withoutSuccessSeconds: 0 } };
    expect(after(many(failure, 2, 1), { policy }).pause).toBeDefined();
  });

  test('that is turned off never opens, and counts nothing', () => {
    const health = after(many(failure, 100, hourMs), { policy: noBreaker });
    expect(health.pause).toBeUndefined();
    expect(health.failures).toBe(1);
  });

  test('is not moved by those that had begun before the pause', () => {
    for (const seen of [failure, success])
      expect(after([[seen, pauseMs + 1]], { from: paused })).toBe(paused);
  });
});

describe('a probe', () => {
  test('that succeeds ends the pause, and the endpoint is as new', () => {
    const health = after([[byProbe(success), afterPauseMs + 20]], { from: probed });
    expect(health).toMatchObject({ failures: 0, warned: 0, backSince: at(afterPauseMs + 20) });
    expect(health.pause).toBeUndefined();
    expect(health.failingSince).toBeUndefined();
    expect(kindsOf(health.unsaid)).toEqual(['paused', 'resumed']);
  });

  test('that fails doubles the pause, up to the maximum, and tells nobody again', () => {
    let health = paused;
    let nowMs = afterPauseMs;
    const seconds: number[] = [];
    for (let probe = 0; probe < 8; probe += 1) {
      health = leased(health, testStartMs + nowMs);
      health = after([[byProbe(failure), nowMs]], { from: health });
      const { pause } = health;
      seconds.push(pause?.seconds ?? 0);
      expect(pause?.until).toBe(at(nowMs + (pause?.seconds ?? 0) * secondMs));
      nowMs = Date.parse(pause?.until ?? '') - testStartMs;
    }
    expect(seconds).toEqual([120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    expect(health.pause?.since).toBe(paused.pause?.since);
    expect(kindsOf(health.unsaid)).toEqual(['paused']);
  });

  test('that is asked for patience waits as long as that, be it shorter than the lease', () => {
    const health = after([[byProbe(patience(5)), afterPauseMs]], { from: probed });
    expect(health.pause).toMatchObject({
      until: at(afterPauseMs + 5_000),
      cause: 'retry_after',
      seconds: 60,
    });
  });

  test('that fails ends a pause whose breaker has been turned off meanwhile', () => {
    const health = after([[byProbe(failure), afterPauseMs]], { from: probed, policy: noBreaker });
    expect(health.pause).toBeUndefined();
    expect(kindsOf(health.unsaid)).toEqual(['paused', 'resumed']);
  });

  test('another attempt’s success does not stand for it', () => {
    expect(after([[success, afterPauseMs]], { from: probed })).toBe(probed);
  });

  test('another attempt’s failure does not stand for it', () => {
    expect(after([[failure, afterPauseMs]], { from: probed })).toBe(probed);
  });

  // A pause of no length would have every worker probe at every moment.
  test('that fails pauses for some time, also after a pause from before there was a breaker', () => {
    const before = after([[patience(60), 0]], { policy: noBreaker });
    const lease = leased(before, testStartMs + minuteMs);
    const health = after([[byProbe(failure), minuteMs]], { from: lease, policy: quick });
    expect(health.pause?.seconds).toBeGreaterThanOrEqual(breaker.pauseSeconds);
  });
});

describe('Retry-After', () => {
  test('pauses at once for as long as it asks, with or without a breaker', () => {
    for (const policy of [quick, noBreaker]) {
      const { pause, unsaid } = after([[patience(120), 0]], { policy });
      expect(pause).toMatchObject({ since: at(0), until: at(120_000), cause: 'retry_after' });
      expect(unsaid).toEqual([{ kind: 'paused', at: at(0), reason: 'retry_after', until: at(120_000) }]);
    }
  });

  test('makes a pause longer, and tells nobody again', () => {
    const health = after([[patience(600), pauseMs + secondMs]], { from: paused });
    expect(health.pause).toMatchObject({ since: at(pauseMs), until: at(pauseMs + 601_000) });
    expect(kindsOf(health.unsaid)).toEqual(['paused']);
  });

  test('makes no pause shorter', () => {
    const long = after([[patience(3_600), 0]]);
    expect(after([[patience(10), 1_000]], { from: long }).pause).toEqual(long.pause);
    expect(after([[patience(30), pauseMs]], { from: paused })).toBe(paused);
  });

  test('is no reason for a longer pause at the next failed probe than the breaker’s own', () => {
    const long = leased(after([[patience(7_200), 0]]), testStartMs + 2 * hourMs);
    const health = after([[byProbe(failure), 2 * hourMs]], { from: long });
    expect(health.pause).toMatchObject({ seconds: 120, cause: 'failures' });
  });

  test('that has come in while a probe was under way holds, though the probe fails', () => {
    const asked = after([[patience(3_600), afterPauseMs]], { from: probed });
    const health = after([[byProbe(failure), afterPauseMs + secondMs]], { from: asked });
    expect(health.pause).toMatchObject({ until: at(afterPauseMs + 3_600_000), seconds: 120 });
  });

  test('that a probe has met grows no pause of the breaker’s own', () => {
    const health = after([[byProbe(patience(5)), afterPauseMs]], { from: probed });
    expect(health.pause?.seconds).toBe(60);
  });
});

describe('an endpoint that is gone', () => {
  test('is switched off at once, though it was well, failing or paused', () => {
    for (const from of [well, after([[failure, 0]]), paused, probed]) {
      const health = after([[gone, afterPauseMs]], { from });
      expect(health.off).toEqual({ at: at(afterPauseMs), reason: 'gone' });
      expect(health.pause).toBeUndefined();
      expect(health.unsaid.at(-1)).toEqual({ kind: 'disabled', at: at(afterPauseMs), reason: 'gone' });
    }
  });

  test('stays so, whatever attempts tell that had begun before', () => {
    const off = after([[gone, 0]]);
    for (const seen of [success, failure, patience(60), gone, byProbe(success)])
      expect(after([[seen, secondMs]], { from: off })).toBe(off);
  });
});

describe('a fault of ours', () => {
  test('that lasts pauses an endpoint for a quarter of an hour, and its owner is told whose fault it is', () => {
    const health = after([[ownFault, 0]]);
    const until = at(900_000);
    expect(health.pause).toMatchObject({ since: at(0), until, seconds: 900, cause: 'own_fault' });
    expect(health.unsaid).toEqual([{ kind: 'paused', at: at(0), reason: 'own_fault', until }]);
  });

  test('is no failure of the receiver, and nothing that it took long for', () => {
    const health = after([[{ ...ownFault, durationMs: 30_000 }, 0]]);
    expect(health).toMatchObject({ failures: 0, warned: 0 });
    expect(health.failingSince).toBeUndefined();
    expect(health.slow).toBeUndefined();
  });

  test('at the next probe doubles the pause, up to an hour, and tells nobody again', () => {
    let health = after([[ownFault, 0]]);
    const seconds: number[] = [];
    for (let probe = 0; probe < 4; probe += 1) {
      const nowMs = Date.parse(health.pause?.until ?? '') - testStartMs;
      health = after([[byProbe(ownFault), nowMs]], { from: leased(health, testStartMs + nowMs) });
      seconds.push(health.pause?.seconds ?? 0);
      expect(health.pause?.until).toBe(at(nowMs + (seconds.at(-1) ?? 0) * secondMs));
    }
    expect(seconds).toEqual([1_800, 3_600, 3_600, 3_600]);
    expect(kindsOf(health.unsaid)).toEqual(['paused']);
  });

  test('leaves a pause alone that others have begun', () => {
    expect(after([[ownFault, pauseMs + 1]], { from: paused })).toBe(paused);
  });

  test('does not end sooner what the receiver has asked for', () => {
    const asked = after([[patience(7_200), 0]]);
    const health = after([[byProbe(ownFault), 1]], { from: leased(asked, testStartMs) });
    expect(health.pause?.until).toBe(at(7_200_000));
  });

  test('that is over ends the pause by one success of a probe', () => {
    const health = after([[byProbe(success), 900_000]], {
      from: leased(after([[ownFault, 0]]), testStartMs + 900_000),
    });
    expect(health.pause).toBeUndefined();
    expect(health.backSince).toBe(at(900_000));
    expect(kindsOf(health.unsaid)).toEqual(['paused', 'resumed']);
  });
});

describe('what waits as rows', () => {
  const backlog = { turn: 3, pass: 1, gate: 'gate', dueAt: at(hourMs) };

  test.each([
    ['comes back', byProbe(success)],
    ['is gone', gone],
    ['is gone, by its probe', byProbe(gone)],
  ])('is looked after now when its endpoint %s', (_, seen) => {
    const health = after([[seen, afterPauseMs]], { from: { ...probed, backlog } });
    expect(health.backlog).toEqual({ ...backlog, dueAt: at(afterPauseMs) });
  });

  test('is looked after now when its endpoint has failed for too long', () => {
    const policy = { ...noBreaker, disableAfterHours: 1 };
    const from = { ...after([[failure, 0]], { policy }), backlog };
    expect(after([[failure, hourMs]], { from, policy })).toMatchObject({
      off: { reason: 'failing' },
      backlog: { ...backlog, dueAt: at(hourMs) },
    });
  });

  test('is looked after at its own time else, by a probe that fails, too', () => {
    for (const seen of [failure, byProbe(failure), patience(600), success])
      expect(after([[seen, afterPauseMs]], { from: { ...probed, backlog } }).backlog).toEqual(backlog);
  });
});
