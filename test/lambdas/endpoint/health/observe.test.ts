import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leased, resumed, well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health, Notice } from '../../../../lambdas/endpoint/health/health.ts';
import { observe } from '../../../../lambdas/endpoint/health/observe.ts';
import type { Observation } from '../../../../lambdas/endpoint/health/observe.ts';
import { defaultPolicy } from '../../../../lambdas/organization/policy.ts';
import type { EffectivePolicy } from '../../../../lambdas/organization/policy.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const breaker = { failures: 10, withoutSuccessSeconds: 30, pauseSeconds: 60, maximumPauseSeconds: 3_600 };
const quick = { ...defaultPolicy, disableAfterHours: null };
const noBreaker: EffectivePolicy = { ...quick, circuitBreaker: null };

const success: Observation = { kind: 'success', isProbe: false, durationMs: 20 };
const failure: Observation = {
  kind: 'failure',
  isThrottle: false,
  retryAfterMs: 0,
  isProbe: false,
  durationMs: 20,
};
const throttle: Observation = { ...failure, isThrottle: true };
const gone: Observation = { kind: 'gone', isProbe: false, durationMs: 20 };
const patience = (seconds: number): Observation => ({ ...throttle, retryAfterMs: seconds * secondMs });
const byProbe = (observation: Observation): Observation => ({ ...observation, isProbe: true });

/** Observes one after another, each at its own time after the start. */
function after(
  seen: readonly (readonly [Observation, number])[],
  { from = well, policy = quick }: { from?: Health; policy?: EffectivePolicy } = {},
): Health {
  return seen.reduce(
    (health, [observation, atMs]) => observe(health, observation, { policy, nowMs: testStartMs + atMs }),
    from,
  );
}

/** The same observation so often, evenly over a time, with one at its beginning and one at its end. */
function many(observation: Observation, times: number, withinMs: number): (readonly [Observation, number])[] {
  return Array.from(
    { length: times },
    (_, index) => [observation, (withinMs * index) / (times - 1)] as const,
  );
}

/** Ten failures within 30 s, so paused for a minute from then on. */
const paused = after(many(failure, 10, 30 * secondMs));
const pauseMs = 30 * secondMs;
const afterPauseMs = pauseMs + minuteMs;

/** The pause is over, and somebody has taken the lease. */
const probed = leased(paused, testStartMs + afterPauseMs);

const kindsOf = ({ unsaid }: Health) => unsaid.map(({ kind }) => kind);
const at = (ms: number) => isoTime(testStartMs + ms);

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
    expect(kindsOf(health)).toEqual(['paused', 'resumed']);
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
    expect(kindsOf(health)).toEqual(['paused']);
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
    expect(kindsOf(health)).toEqual(['paused', 'resumed']);
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
    expect(kindsOf(health)).toEqual(['paused']);
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

/** One failure an hour, from the first to the last of these hours. */
function hourly(from: number, to: number): (readonly [Observation, number])[] {
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
    expect(kindsOf(after(hourly(0, hours), { policy }))).toEqual(said);
  });

  test('for the hours of the policy switches the endpoint off, and not before', () => {
    expect(after(hourly(0, 119), { policy }).off).toBeUndefined();
    expect(after(hourly(0, 120), { policy }).off).toEqual({ at: at(120 * hourMs), reason: 'failing' });
  });

  test('is said with the time of the end', () => {
    const warned = after(hourly(0, 90), { policy });
    expect(warned.unsaid).toEqual([
      { kind: 'failing', at: at(60 * hourMs), until: at(120 * hourMs) },
      { kind: 'failing', at: at(90 * hourMs), until: at(120 * hourMs) },
    ]);
  });

  test('that is first seen late is said once, not twice', () => {
    expect(
      kindsOf(
        after(
          [
            [failure, 0],
            [failure, 40 * hourMs],
            [failure, 80 * hourMs],
            [failure, 100 * hourMs],
          ],
          { policy },
        ),
      ),
    ).toEqual(['failing', 'failing']);
    const half = after(
      [
        [failure, 0],
        [failure, 47 * hourMs],
        [failure, 94 * hourMs],
      ],
      { policy },
    );
    expect(kindsOf(half)).toEqual(['failing']);
  });

  test('ends with one success: the hours begin anew, and so do the warnings', () => {
    const seen = [...hourly(0, 100), [success, 100.5 * hourMs] as const, ...hourly(101, 161)];
    const health = after(seen, { policy });
    expect(health.off).toBeUndefined();
    expect(health.unsaid.slice(2)).toEqual([
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
    expect(kindsOf(health)).toEqual(['paused', 'failing', 'failing', 'disabled']);
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

describe('an answer that takes long', () => {
  const slow = { ...success, durationMs: 1_000 };

  test.each([
    [999, undefined],
    [1_000, at(300_000)],
    [30_000, at(300_000)],
  ])('of %i ms: slow until %s', (durationMs, slowUntil) => {
    expect(after([[{ ...success, durationMs }, 0]]).slowUntil).toBe(slowUntil);
    expect(after([[{ ...failure, durationMs }, 0]]).slowUntil).toBe(slowUntil);
  });

  test('is worth a write only every two and a half minutes', () => {
    const first = after([[slow, 0]]);
    expect(after([[slow, 149_999]], { from: first })).toBe(first);
    expect(after([[slow, 150_000]], { from: first }).slowUntil).toBe(at(450_000));
  });
});

interface Circumstance {
  readonly seen: Observation;
  readonly policy?: EffectivePolicy;
}

describe('nothing is worth a write', () => {
  const isBack = after([[byProbe(success), afterPauseMs]], { from: probed });
  const isFailing = after([[failure, 0]], { policy: noBreaker });

  test.each<[string, Health, Circumstance]>([
    ['a success of a healthy endpoint', well, { seen: success }],
    ['a success of one that has come back', isBack, { seen: success }],
    ['a failure of a paused endpoint', paused, { seen: failure }],
    ['a failure within 30 s that ten have filled', after(many(failure, 10, 29_000)), { seen: failure }],
    ['a failure of one known to fail, without a breaker', isFailing, { seen: failure, policy: noBreaker }],
  ])('in %s', (_, before, { seen, policy = quick }) => {
    expect(after([[seen, 29_500]], { from: before, policy })).toBe(before);
  });

  test('but once an hour in the failure of an endpoint that goes on failing', () => {
    const before = after([[failure, 0]], { policy: noBreaker });
    expect(after([[failure, hourMs - 1]], { from: before, policy: noBreaker })).toBe(before);
    expect(after([[failure, hourMs]], { from: before, policy: noBreaker }).lastFailureAt).toBe(at(hourMs));
  });
});

describe('whatever is observed, and whenever', () => {
  const policies: readonly EffectivePolicy[] = [
    defaultPolicy,
    noBreaker,
    { ...defaultPolicy, circuitBreaker: null, disableAfterHours: 24 },
    { ...defaultPolicy, disableAfterHours: 3, circuitBreaker: { ...breaker, failures: 2 } },
    { ...quick, circuitBreaker: { ...breaker, failures: 1, withoutSuccessSeconds: 0, pauseSeconds: 3_600 } },
  ];
  const anObservation: fc.Arbitrary<Observation> = fc.oneof(
    { weight: 2, arbitrary: fc.constant(success) },
    { weight: 8, arbitrary: fc.constant(failure) },
    { weight: 2, arbitrary: fc.constant(throttle) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 86_400 }).map(patience) },
    { weight: 1, arbitrary: fc.constant({ ...failure, durationMs: 15_000 }) },
    { weight: 1, arbitrary: fc.constant(gone) },
  );
  const aPauseMs = fc.oneof(
    fc.integer({ min: 0, max: 20_000 }),
    fc.integer({ min: 0, max: 2 * hourMs }),
    fc.integer({ min: 0, max: 72 * hourMs }),
  );
  const aStep = fc.record({ afterMs: aPauseMs, seen: anObservation, mayProbe: fc.boolean() });

  /** One step as the engine takes it: after a pause somebody may take the lease, and his is the probe. */
  function stepFrom(health: Health, nowMs: number, { seen, mayProbe }: Step) {
    const isOver = health.pause !== undefined && Date.parse(health.pause.until) <= nowMs;
    const isProbe = mayProbe && isOver;
    const before = isProbe ? leased(health, nowMs) : health;
    return { before, seen: { ...seen, isProbe } };
  }
  type Step = Readonly<{ seen: Observation; mayProbe: boolean }>;
  interface Seen {
    readonly before: Health;
    readonly seen: Observation;
    readonly after: Health;
    readonly nowMs: number;
    readonly policy: EffectivePolicy;
  }

  const always = (expectations: (one: Seen) => void) => {
    const anyPolicy = fc.constantFrom(...policies);
    fc.assert(
      fc.property(anyPolicy, fc.array(aStep, { minLength: 5, maxLength: 60 }), (policy, steps) => {
        let nowMs = testStartMs;
        let health = well;
        for (const step of steps) {
          nowMs += step.afterMs;
          const { before, seen } = stepFrom(health, nowMs, step);
          health = observe(before, seen, { policy, nowMs });
          expectations({ before, seen, after: health, nowMs, policy });
        }
      }),
      { numRuns: 1_000 },
    );
  };

  test('no endpoint is both paused and switched off', () => {
    always(({ after: { pause, off } }) => {
      expect(pause !== undefined && off !== undefined).toBe(false);
    });
  });

  test('people are told of every change of state, and of nothing else', () => {
    always(({ before, after }) => {
      const isNew = (notice: Notice) => !before.unsaid.includes(notice);
      const said = after.unsaid.filter(isNew).map(({ kind }) => kind);
      expect(after.unsaid.slice(0, after.unsaid.length - said.length).some(isNew)).toBe(false);
      const [wasPaused, isPaused] = [before.pause !== undefined, after.pause !== undefined];
      const isOff = before.off === undefined && after.off !== undefined;
      expect(said.includes('disabled')).toBe(isOff);
      expect(said.includes('failing')).toBe(after.warned > before.warned);
      if (isOff) return;
      expect(said.includes('paused')).toBe(!wasPaused && isPaused);
      expect(said.includes('resumed')).toBe(wasPaused && !isPaused);
    });
  });

  test('ten notices at most wait to be said, in their order, among them the latest of each kind', () => {
    always(({ before, after }) => {
      expect(after.unsaid.length).toBeLessThanOrEqual(10);
      const times = after.unsaid.map(({ at }) => at);
      expect(times).toEqual(times.toSorted());
      const all = [...before.unsaid, ...after.unsaid];
      for (const kind of new Set(all.map((notice) => notice.kind))) {
        const latest = all.findLast((notice) => notice.kind === kind);
        expect(after.unsaid).toContain(latest);
      }
    });
  });

  test('failures are counted up to the threshold, and the same streak warns only further', () => {
    always(({ before, after, policy }) => {
      expect(after.failures).toBeLessThanOrEqual(policy.circuitBreaker?.failures ?? 1);
      expect(after.failures).toBeGreaterThanOrEqual(0);
      if (after.failingSince === before.failingSince)
        expect(after.warned).toBeGreaterThanOrEqual(before.warned);
    });
  });

  test('it is switched off only by a 410, or when it has failed for as long as the policy says', () => {
    always(({ before, after, seen, nowMs, policy }) => {
      if (after.off === undefined || before.off !== undefined) return;
      expect(seen.kind).toBe(after.off.reason === 'gone' ? 'gone' : 'failure');
      if (after.off.reason === 'gone') return;
      const failedMs = nowMs - Date.parse(after.failingSince ?? '');
      expect(failedMs).toBeGreaterThanOrEqual((policy.disableAfterHours ?? Infinity) * hourMs);
    });
  });

  test('a pause is ended or made shorter by nobody but its probe', () => {
    always(({ before, after, seen }) => {
      if (before.pause === undefined || seen.isProbe || after.off !== undefined) return;
      const [untilMs, longerMs] = [before.pause.until, after.pause?.until ?? ''].map((time) =>
        Date.parse(time),
      );
      expect(longerMs).toBeGreaterThanOrEqual(untilMs ?? 0);
    });
  });

  test('what a probe meets ends the pause or sets a new time, and never one that has passed', () => {
    always(({ before, after, seen, nowMs }) => {
      if (!seen.isProbe || after.pause === undefined) return;
      expect(after.pause.until).not.toBe(before.pause?.until);
      expect(Date.parse(after.pause.until)).toBeGreaterThan(nowMs);
    });
  });

  test('what stays the same is the very same object', () => {
    always(({ before, after }) => {
      if (isDeepStrictEqual(before, after)) expect(after).toBe(before);
    });
  });

  test('its version is left to whoever writes it', () => {
    always(({ before, after }) => {
      expect(after.version).toBe(before.version);
    });
  });
});
