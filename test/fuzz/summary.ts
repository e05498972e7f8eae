import type { Outcome } from './fuzz.ts';

/** Whether nothing was found, and everything was tried. */
export function isClean({ report }: Outcome): boolean {
  const { exit_code: exitCode, operations, test_cases: cases } = report;
  const isWhole = operations.tested === operations.selected && operations.selected > 0;
  return exitCode === 0 && isWhole && cases.generated > 0 && cases.unique_failures + cases.errored === 0;
}

/** A run in a line or two. */
export function summaryOf({ identity, report, measured }: Outcome): string {
  const { operations, test_cases: cases, running_time: seconds } = report;
  const { slowest, statuses } = measured;
  const never = Object.entries(statuses).flatMap(([operation, counts]) =>
    Object.keys(counts).some((status) => status.startsWith('2')) ? [] : [operation],
  );
  return [
    `${identity}: ${operations.tested} of ${operations.selected} operations, ${cases.generated} cases in ` +
      `${Math.round(seconds)} s, ${cases.unique_failures} failures, ${cases.errored} errors, ` +
      `slowest answer ${Math.round(slowest.ms)} ms (${slowest.operation})`,
    ...(never.length === 0 ? [] : [`  without any success: ${never.toSorted().join(', ')}`]),
  ].join('\n');
}
