import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backoffSeconds,
  defaultPolicy,
  effectivePolicy,
  mergePolicy,
  policy,
  refuseLongSchedule,
  scheduleSeconds,
} from '../../../lambdas/organization/policy.ts';
import type { Policy } from '../../../lambdas/organization/policy.ts';

const anyRetry = fc.record({
  initialBackoffSeconds: fc.double({ min: 1, max: 86_400, noNaN: true }),
  multiplier: fc.double({ min: 1, max: 10, noNaN: true }),
  maximumBackoffSeconds: fc.double({ min: 1, max: 86_400, noNaN: true }),
  maximumAttempts: fc.integer({ min: 1, max: 30 }),
});
const anyEffective = fc.record({ timeoutSeconds: fc.integer({ min: 1, max: 30 }), retry: anyRetry });
const anyPolicy: fc.Arbitrary<Policy> = fc.record(
  {
    timeoutSeconds: fc.integer({ min: 1, max: 30 }),
    retry: fc.record(
      {
        initialBackoffSeconds: fc.integer({ min: 1, max: 86_400 }),
        multiplier: fc.integer({ min: 1, max: 10 }),
        maximumBackoffSeconds: fc.integer({ min: 1, max: 86_400 }),
        maximumAttempts: fc.integer({ min: 1, max: 30 }),
      },
      { requiredKeys: [] },
    ),
    circuitBreaker: fc.option(
      fc.record(
        {
          failures: fc.integer({ min: 1, max: 1_000 }),
          withoutSuccessSeconds: fc.integer({ min: 0, max: 3_600 }),
          pauseSeconds: fc.integer({ min: 1, max: 3_600 }),
          maximumPauseSeconds: fc.integer({ min: 1, max: 86_400 }),
        },
        { requiredKeys: [] },
      ),
    ),
    disableAfterHours: fc.option(fc.integer({ min: 1, max: 8_760 })),
    rateLimitPerSecond: fc.option(fc.integer({ min: 1, max: 10_000 })),
  },
  { requiredKeys: [] },
);

describe('policy', () => {
  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a timeout', { timeoutSeconds: 30 }],
    ['one field of retry', { retry: { maximumAttempts: 1 } }],
    [
      'the limits',
      { timeoutSeconds: 1, retry: { initialBackoffSeconds: 1, multiplier: 10, maximumAttempts: 30 } },
    ],
    ['one field of the breaker', { circuitBreaker: { failures: 3 } }],
    [
      'no breaker, no end and no limit',
      { circuitBreaker: null, disableAfterHours: null, rateLimitPerSecond: null },
    ],
    [
      'the least of each',
      {
        circuitBreaker: { failures: 1, withoutSuccessSeconds: 0, pauseSeconds: 1, maximumPauseSeconds: 1 },
        disableAfterHours: 1,
        rateLimitPerSecond: 0.01,
      },
    ],
  ])('takes %s', (_what, given) => {
    expect(policy.parse(given)).toEqual(given);
  });

  it('takes its own defaults', () => {
    expect(policy.parse(defaultPolicy)).toEqual(defaultPolicy);
  });

  it.each<[string, unknown]>([
    ['a timeout of nothing', { timeoutSeconds: 0 }],
    ['a timeout longer than the function lives', { timeoutSeconds: 31 }],
    ['a timeout that never ends', { timeoutSeconds: Number.POSITIVE_INFINITY }],
    ['no attempt', { retry: { maximumAttempts: 0 } }],
    ['31 attempts', { retry: { maximumAttempts: 31 } }],
    ['half an attempt', { retry: { maximumAttempts: 1.5 } }],
    ['a backoff that shrinks', { retry: { multiplier: 0.5 } }],
    ['no backoff', { retry: { initialBackoffSeconds: 0 } }],
    ['a backoff of more than a day', { retry: { maximumBackoffSeconds: 86_401 } }],
    ['a text', { timeoutSeconds: '15' }],
    ['null', { timeoutSeconds: null }],
    ['an unknown field', { retry: { tries: 3 } }],
    ['a breaker that opens by nothing', { circuitBreaker: { failures: 0 } }],
    ['a breaker that opens by half a failure', { circuitBreaker: { failures: 1.5 } }],
    ['a pause of no length', { circuitBreaker: { pauseSeconds: 0 } }],
    ['a pause of more than a day', { circuitBreaker: { maximumPauseSeconds: 86_401 } }],
    ['one field of the breaker turned off', { circuitBreaker: { failures: null } }],
    ['an end at once', { disableAfterHours: 0 }],
    ['a limit of nothing', { rateLimitPerSecond: 0 }],
    ['a limit that is none', { rateLimitPerSecond: 10_001 }],
  ])('refuses %s', (_what, given) => {
    expect(policy.safeParse(given).success).toBe(false);
  });
});

describe('effectivePolicy', () => {
  it('is what the README says when nobody sets anything', () => {
    expect(effectivePolicy({}, {})).toEqual({
      timeoutSeconds: 15,
      retry: { initialBackoffSeconds: 5, multiplier: 5, maximumBackoffSeconds: 36_000, maximumAttempts: 10 },
      circuitBreaker: {
        failures: 10,
        withoutSuccessSeconds: 30,
        pauseSeconds: 60,
        maximumPauseSeconds: 3_600,
      },
      disableAfterHours: 120,
      rateLimitPerSecond: null,
    });
  });

  it('takes each field from the endpoint, else from the organization, else from ours', () => {
    const endpoint = {
      retry: { maximumAttempts: 3 },
      circuitBreaker: { failures: 3 },
      disableAfterHours: null,
    };
    const organization = {
      timeoutSeconds: 20,
      retry: { maximumAttempts: 7, multiplier: 2 },
      circuitBreaker: { failures: 5, pauseSeconds: 10 },
      rateLimitPerSecond: 7,
    };
    expect(effectivePolicy(endpoint, organization)).toEqual({
      timeoutSeconds: 20,
      circuitBreaker: {
        failures: 3,
        withoutSuccessSeconds: 30,
        pauseSeconds: 10,
        maximumPauseSeconds: 3_600,
      },
      disableAfterHours: null,
      rateLimitPerSecond: 7,
      retry: { initialBackoffSeconds: 5, multiplier: 2, maximumBackoffSeconds: 36_000, maximumAttempts: 3 },
    });
  });

  it('has no breaker when the endpoint, or its organization and not the endpoint, turns it off', () => {
    const off = { circuitBreaker: null };
    const on = { circuitBreaker: { failures: 3 } };
    expect(effectivePolicy(off, on).circuitBreaker).toBeNull();
    expect(effectivePolicy({}, off).circuitBreaker).toBeNull();
    expect(effectivePolicy(on, off).circuitBreaker).toMatchObject({ failures: 3, pauseSeconds: 60 });
  });

  it('is always whole', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (endpoint, organization) => {
        expect(Object.values(effectivePolicy(endpoint, organization).retry)).not.toContain(undefined);
      }),
    );
  });
});

describe('backoffSeconds', () => {
  it('of the defaults grows fivefold up to ten hours', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => backoffSeconds(defaultPolicy.retry, attempt));
    expect(waits).toEqual([5, 25, 125, 625, 3_125, 15_625, 36_000, 36_000, 36_000]);
  });

  it('never decreases and never exceeds the maximum', () => {
    fc.assert(
      fc.property(anyRetry, (retry) => {
        const waits = Array.from({ length: 30 }, (_, index) => backoffSeconds(retry, index + 1));
        expect(waits).toEqual(waits.toSorted((a, b) => a - b));
        expect(waits.every((wait) => wait > 0 && wait <= retry.maximumBackoffSeconds)).toBe(true);
      }),
    );
  });

  it('begins with the initial backoff, unless the maximum is lower', () => {
    fc.assert(
      fc.property(anyRetry, (retry) => {
        const { initialBackoffSeconds, maximumBackoffSeconds } = retry;
        expect(backoffSeconds(retry, 1)).toBe(Math.min(initialBackoffSeconds, maximumBackoffSeconds));
      }),
    );
  });
});

describe('refuseLongSchedule', () => {
  it('the defaults last for a day and a half, and fit into the shortest retention there is', () => {
    expect(scheduleSeconds(defaultPolicy) / 3_600).toBeCloseTo(42.5, 0);
    expect(() => {
      refuseLongSchedule(defaultPolicy, 2);
    }).not.toThrow();
  });

  it('a schedule of one attempt is its timeout', () => {
    const once = effectivePolicy({ timeoutSeconds: 9, retry: { maximumAttempts: 1 } }, {});
    expect(scheduleSeconds(once)).toBe(9);
  });

  it('a schedule that outlives its events is refused, with what to lower', () => {
    const days = {
      retry: { initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400, maximumAttempts: 30 },
    };
    expect(() => {
      refuseLongSchedule(effectivePolicy(days, {}), 30);
    }).toThrow(
      expect.objectContaining({
        status: 400,
        code: 'schedule_too_long',
        field: 'policy.retry',
        message: expect.stringMatching(/30 days.*maximumAttempts/) as unknown,
      }) as Error,
    );
  });

  it('what is not refused has its last attempt before the event is gone, whatever the jitter', () => {
    const jitters = fc.array(fc.double({ min: 0.8, max: 1.2, noNaN: true }), {
      minLength: 29,
      maxLength: 29,
    });
    fc.assert(
      fc.property(anyEffective, jitters, fc.integer({ min: 2, max: 30 }), (effective, drawn, days) => {
        fc.pre(isTaken(effective, days));
        const { retry, timeoutSeconds } = effective;
        let last = 0;
        for (let attempt = 1; attempt < retry.maximumAttempts; attempt += 1) {
          last += timeoutSeconds + backoffSeconds(retry, attempt) * (drawn[attempt - 1] ?? 1);
        }
        expect(last).toBeLessThan(days * 86_400);
      }),
    );
  });
});

describe('mergePolicy', () => {
  it('changes the fields that are named, one by one, and keeps the others', () => {
    const before = { timeoutSeconds: 20, retry: { maximumAttempts: 5, multiplier: 2 } };
    expect(mergePolicy(before, { retry: { multiplier: 3 } })).toEqual({
      timeoutSeconds: 20,
      retry: { maximumAttempts: 5, multiplier: 3 },
    });
  });

  it('an empty change changes nothing', () => {
    fc.assert(
      fc.property(anyPolicy, (before) => {
        const { retry, ...rest } = before;
        const said = retry === undefined || Object.keys(retry).length === 0 ? rest : before;
        expect(effectivePolicy(mergePolicy(before, {}), {})).toEqual(effectivePolicy(said, {}));
      }),
    );
  });

  it('what was changed last counts, and what is stored is a policy', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (before, change) => {
        const merged = mergePolicy(before, change);
        expect(policy.parse(merged)).toEqual(merged);
        expect(effectivePolicy(merged, {})).toEqual(effectivePolicy(change, before));
      }),
    );
  });

  it('null takes back what was set, so that it follows the level above again (RFC 7396)', () => {
    const before = { timeoutSeconds: 5, retry: { multiplier: 2, maximumAttempts: 3 } };
    expect(mergePolicy(before, { timeoutSeconds: null })).toEqual({ retry: before.retry });
    expect(mergePolicy(before, { retry: null })).toEqual({ timeoutSeconds: 5 });
    expect(mergePolicy(before, { retry: { multiplier: null } })).toEqual({
      timeoutSeconds: 5,
      retry: { maximumAttempts: 3 },
    });
    expect(mergePolicy(before, { retry: { multiplier: null, maximumAttempts: null } })).toEqual({
      timeoutSeconds: 5,
    });
    expect(mergePolicy(before, null)).toEqual({});
  });

  it('the word default takes back what null is a value of, whether it was off or set', () => {
    const asWord = {
      circuitBreaker: 'default',
      disableAfterHours: 'default',
      rateLimitPerSecond: 'default',
    } as const;
    for (const before of [
      { circuitBreaker: null, disableAfterHours: null, rateLimitPerSecond: null },
      { circuitBreaker: { failures: 3 }, disableAfterHours: 5, rateLimitPerSecond: 7 },
    ]) {
      expect(mergePolicy({ ...before, timeoutSeconds: 5 }, asWord)).toEqual({ timeoutSeconds: 5 });
    }
  });

  it('a breaker of which nothing is set any more is still on', () => {
    const before = { circuitBreaker: { failures: 3 } };
    const merged = mergePolicy(before, { circuitBreaker: { failures: null } });
    expect(effectivePolicy(merged, { circuitBreaker: null }).circuitBreaker).toEqual(
      defaultPolicy.circuitBreaker,
    );
  });

  it('null turns off what was set, and stays until something is set again', () => {
    const before = { circuitBreaker: { failures: 3 }, disableAfterHours: 5, rateLimitPerSecond: 7 };
    const off = { circuitBreaker: null, disableAfterHours: null, rateLimitPerSecond: null };
    expect(mergePolicy(before, off)).toEqual(off);
    expect(mergePolicy(off, {})).toEqual(off);
    expect(mergePolicy(off, { timeoutSeconds: 5 })).toEqual({ ...off, timeoutSeconds: 5 });
    expect(mergePolicy(off, before)).toEqual(before);
  });

  it('a breaker that is turned on again has forgotten what it was set to before', () => {
    const off = mergePolicy({ circuitBreaker: { failures: 3, pauseSeconds: 9 } }, { circuitBreaker: null });
    expect(mergePolicy(off, { circuitBreaker: { failures: 5 } })).toEqual({
      circuitBreaker: { failures: 5 },
    });
    expect(effectivePolicy(mergePolicy(off, { circuitBreaker: {} }), {}).circuitBreaker).toEqual(
      defaultPolicy.circuitBreaker,
    );
  });

  it('changes the fields of the breaker one by one', () => {
    const before = { circuitBreaker: { failures: 3, pauseSeconds: 9 } };
    expect(mergePolicy(before, { circuitBreaker: { pauseSeconds: 10 } })).toEqual({
      circuitBreaker: { failures: 3, pauseSeconds: 10 },
    });
    expect(mergePolicy(before, { retry: { multiplier: 2 } })).toEqual({
      ...before,
      retry: { multiplier: 2 },
    });
  });

  it('a policy that sets nothing stores nothing', () => {
    expect(mergePolicy({}, {})).toEqual({});
    expect(mergePolicy({}, { retry: {} })).not.toHaveProperty('retry.maximumAttempts');
  });
});

function isTaken(effective: Parameters<typeof refuseLongSchedule>[0], retentionDays: number): boolean {
  try {
    refuseLongSchedule(effective, retentionDays);
    return true;
  } catch {
    return false;
  }
}
