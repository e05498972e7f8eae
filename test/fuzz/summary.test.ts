import { expect, it } from 'vitest';
import type { Outcome } from './fuzz.ts';
import { isClean, summaryOf } from './summary.ts';

function anOutcome(report: Partial<Outcome['report']> = {}): Outcome {
  return {
    identity: 'operator',
    report: {
      exit_code: 0,
      running_time: 29.6,
      operations: { selected: 40, tested: 40 },
      test_cases: { generated: 3_506, unique_failures: 0, errored: 0 },
      ...report,
    },
    measured: {
      slowest: { ms: 95.7, operation: 'recoverEndpoint' },
      statuses: { listJobs: { '200': 4, '400': 9 }, cancelJob: { '409': 3 } },
    },
  };
}

it('a run is clean that has tried everything and found nothing', () => {
  expect(isClean(anOutcome())).toBe(true);
});

it.each<[string, Partial<Outcome['report']>]>([
  ['Schemathesis failed', { exit_code: 1 }],
  ['an operation was left out', { operations: { selected: 40, tested: 39 } }],
  ['there were no operations', { operations: { selected: 0, tested: 0 } }],
  ['there were no cases', { test_cases: { generated: 0, unique_failures: 0, errored: 0 } }],
  ['something was found', { test_cases: { generated: 9, unique_failures: 1, errored: 0 } }],
  ['a case could not be tried', { test_cases: { generated: 9, unique_failures: 0, errored: 1 } }],
])('a run is not clean when %s', (_what, report) => {
  expect(isClean(anOutcome(report))).toBe(false);
});

it('a summary tells operations, cases, failures, the slowest answer, and what never succeeded', () => {
  expect(summaryOf(anOutcome())).toBe(
    'operator: 40 of 40 operations, 3506 cases in 30 s, 0 failures, 0 errors, ' +
      'slowest answer 96 ms (recoverEndpoint)\n  without any success: cancelJob',
  );
});
