import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leased, well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health, Notice } from '../../../../lambdas/endpoint/health/health.ts';
import { observe } from '../../../../lambdas/endpoint/health/observe.ts';
import type { Observation } from '../../../../lambdas/endpoint/health/observe.ts';
import { defaultPolicy } from '../../../../lambdas/organization/policy.ts';
import type { EffectivePolicy } from '../../../../lambdas/organization/policy.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import {
  after,
  afterPauseMs,
  at,
  ownFault,
  breaker,
  byProbe,
  failure,
  gone,
  hourMs,
  many,
  noBreaker,
  patience,
  paused,
  probed,
  quick,
  success,
  throttle,
} from './a-history.ts';

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

describe('an answer that takes long', () => {
  const slow = { durationMs: 10_000 };

  test('of an endpoint that is well, fails or is paused is noted as long', () => {
    for (const [from, seen] of [
      [well, { ...success, ...slow }],
      [well, { ...failure, ...slow }],
      [paused, { ...failure, ...slow }],
      [probed, byProbe({ ...failure, ...slow })],
    ] as const)
      expect(after([[seen, afterPauseMs]], { from }).slow).toEqual({ ms: 10_000, at: at(afterPauseMs) });
  });

  test('that ends a pause leaves the endpoint slow, at the pace of both', () => {
    const health = after([[byProbe({ ...success, ...slow }), afterPauseMs]], { from: probed });
    expect(health).toMatchObject({ backSince: at(afterPauseMs), slow: { ms: 10_000 } });
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
    { weight: 1, arbitrary: fc.constant(ownFault) },
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
      // By whose fault it is paused is told, too.
      const isOurs = after.pause?.cause === 'own_fault' && before.pause?.cause !== 'own_fault';
      expect(said.includes('paused')).toBe(isPaused && (!wasPaused || isOurs));
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
