import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../lambdas/request/answer.ts';
import { classify } from '../../../lambdas/delivery/classify.ts';
import type { Budget } from '../../../lambdas/delivery/classify.ts';
import { retryAfterMs } from '../../../lambdas/delivery/retry-after.ts';
import { backoffSeconds, defaultPolicy } from '../../../lambdas/organization/policy.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { asctimeAt, httpDateAt, rfc850At } from './http-dates.ts';

const dayMs = 86_400_000;

function aBudget(given: Partial<Budget> = {}): Budget {
  return { policy: defaultPolicy.retry, attemptOfRound: 1, chance: 0.5, nowMs: testStartMs, ...given };
}

function aResponse(status: number, retryAfter?: string): Answer {
  return { kind: 'response', status, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

function waitMsOf(answer: Answer, budget = aBudget()): number {
  const outcome = classify(answer, budget);
  if (outcome.kind !== 'retry') throw new Error(`not tried again: ${outcome.kind}`);
  return outcome.waitMs;
}

describe('a status decides', () => {
  test.each([200, 201, 202, 204, 206, 226, 299])('%i is a success', (status) => {
    expect(classify(aResponse(status), aBudget())).toEqual({ kind: 'delivered', statusCode: status });
  });

  test.each([
    [300, 'http_300'],
    [301, 'redirect'],
    [302, 'redirect'],
    [303, 'redirect'],
    [304, 'http_304'],
    [307, 'redirect'],
    [308, 'redirect'],
    [400, 'http_400'],
    [401, 'http_401'],
    [403, 'http_403'],
    [404, 'http_404'],
    [409, 'http_409'],
    [422, 'http_422'],
    [429, 'http_429'],
    [499, 'http_499'],
    [500, 'http_500'],
    [502, 'http_502'],
    [503, 'http_503'],
    [504, 'http_504'],
    [599, 'http_599'],
  ])('%i is tried again, as %s', (status, code) => {
    expect(classify(aResponse(status), aBudget())).toMatchObject({ kind: 'retry', code, statusCode: status });
  });

  test('410 is final, with the whole budget left', () => {
    expect(classify(aResponse(410), aBudget())).toEqual({ kind: 'dead', code: 'http_410', statusCode: 410 });
  });

  test.each(['timeout', 'dns_not_found', 'tls_expired', 'blocked_address', 'connection_refused'] as const)(
    'without a status, %s is tried again',
    (code) => {
      const outcome = classify({ kind: 'failure', code }, aBudget());
      expect(outcome).toMatchObject({ kind: 'retry', code, statusCode: undefined });
    },
  );

  test('only 200 to 299 is a success, and only 410 is final at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        const { kind } = classify(aResponse(status), aBudget());
        expect(kind).toBe(status <= 299 ? 'delivered' : status === 410 ? 'dead' : 'retry');
      }),
    );
  });
});

describe('the budget', () => {
  test('the last attempt of the budget is final, and says why it failed', () => {
    const budget = aBudget({ attemptOfRound: defaultPolicy.retry.maximumAttempts });
    expect(classify(aResponse(503), budget)).toEqual({ kind: 'dead', code: 'http_503', statusCode: 503 });
    const timeout = classify({ kind: 'failure', code: 'timeout' }, budget);
    expect(timeout).toEqual({ kind: 'dead', code: 'timeout', statusCode: undefined });
  });

  test('the last attempt of the budget may still succeed', () => {
    const budget = aBudget({ attemptOfRound: defaultPolicy.retry.maximumAttempts });
    expect(classify(aResponse(204), budget).kind).toBe('delivered');
  });

  test('a budget that was lowered meanwhile ends the delivery', () => {
    const policy = { ...defaultPolicy.retry, maximumAttempts: 2 };
    expect(classify(aResponse(500), aBudget({ policy, attemptOfRound: 5 })).kind).toBe('dead');
  });
});

describe('the last moment, at which the event is gone', () => {
  const lastMs = testStartMs + 5_000;

  test('makes an attempt the last one after which the next would come too late', () => {
    const at = (atMs: number) => classify(aResponse(500), aBudget({ lastMs: atMs })).kind;
    expect([at(lastMs), at(lastMs + 1)]).toEqual(['dead', 'retry']);
  });

  test('comes too late also when the receiver asks for so much patience', () => {
    expect(classify(aResponse(503, '60'), aBudget({ lastMs: testStartMs + 59_000 })).kind).toBe('dead');
    expect(classify(aResponse(503, '60'), aBudget({ lastMs: testStartMs + 61_000 })).kind).toBe('retry');
  });

  test('takes nothing from a success', () => {
    expect(classify(aResponse(200), aBudget({ lastMs: testStartMs })).kind).toBe('delivered');
  });
});

describe('an answer from an address that the endpoint has left', () => {
  test('of 410 is tried again, as anything else', () => {
    const outcome = classify(aResponse(410), aBudget({ isFinal: false }));
    expect(outcome).toMatchObject({ kind: 'retry', code: 'http_410', waitMs: 5_000 });
  });

  test('uses up the budget all the same', () => {
    const budget = aBudget({ isFinal: false, attemptOfRound: defaultPolicy.retry.maximumAttempts });
    expect(classify(aResponse(410), budget).kind).toBe('dead');
  });
});

describe('the wait', () => {
  const policies = fc.record({
    initialBackoffSeconds: fc.integer({ min: 1, max: 86_400 }),
    multiplier: fc.double({ min: 1, max: 10, noNaN: true }),
    maximumBackoffSeconds: fc.integer({ min: 1, max: 86_400 }),
    maximumAttempts: fc.constant(30),
  });

  test('is the schedule’s, give or take 20 %, in whole milliseconds (I8)', () => {
    const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 29 }), chances, (policy, attemptOfRound, chance) => {
        const baseMs = backoffSeconds(policy, attemptOfRound) * 1000;
        const waitMs = waitMsOf(aResponse(500), aBudget({ policy, attemptOfRound, chance }));
        expect(Number.isInteger(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(0.8 * baseMs));
        expect(waitMs).toBeLessThanOrEqual(Math.ceil(1.2 * baseMs));
      }),
    );
  });

  test('is 5 s, 25 s, 2 min, 10 min, 52 min, 4 h and then 10 h by default', () => {
    const attempts = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const waits = attempts.map(
      (attemptOfRound) => waitMsOf(aResponse(500), aBudget({ attemptOfRound })) / 1000,
    );
    expect(waits).toEqual([5, 25, 125, 625, 3_125, 15_625, 36_000, 36_000, 36_000]);
  });
});

describe('Retry-After', () => {
  test.each([429, 503])('asks for a longer wait with %i', (status) => {
    expect(waitMsOf(aResponse(status, '120'))).toBe(120_000);
    expect(waitMsOf(aResponse(status, httpDateAt(testStartMs + 90_000)))).toBe(90_000);
    expect(waitMsOf(aResponse(status, rfc850At(testStartMs + 90_000)))).toBe(90_000);
    expect(waitMsOf(aResponse(status, asctimeAt(testStartMs + 90_000)))).toBe(90_000);
  });

  test.each([408, 500, 502, 504, 301])('says nothing with %i', (status) => {
    expect(waitMsOf(aResponse(status, '120'))).toBe(5_000);
  });

  test('never asks for a shorter wait than the schedule’s', () => {
    expect(waitMsOf(aResponse(503, '1'))).toBe(5_000);
    expect(waitMsOf(aResponse(503, '0'))).toBe(5_000);
  });

  test('does not revive a delivery whose budget is used up', () => {
    expect(classify(aResponse(503, '120'), aBudget({ attemptOfRound: 10 })).kind).toBe('dead');
  });

  test('whatever it is, the wait lies between the schedule’s and a day, and is never shorter than asked (I8)', () => {
    const asked = fc.oneof(
      fc.integer({ min: -10, max: 400_000_000 }).map(String),
      fc
        .tuple(
          fc.integer({ min: testStartMs - dayMs, max: testStartMs + 10 * dayMs }),
          fc.constantFrom(httpDateAt, rfc850At, asctimeAt),
        )
        .map(([timeMs, write]) => write(timeMs)),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        asked,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(429, 503),
        (header, attempt, status) => {
          const budget = aBudget({ attemptOfRound: attempt });
          const waitMs = waitMsOf(aResponse(status, header), budget);
          const scheduledMs = waitMsOf(aResponse(500), budget);
          expect(waitMs).toBe(Math.max(scheduledMs, Math.min(dayMs, retryAfterMs(header, budget))));
          expect(waitMs).toBeGreaterThanOrEqual(scheduledMs);
          expect(waitMs).toBeLessThanOrEqual(dayMs);
        },
      ),
    );
  });
});
