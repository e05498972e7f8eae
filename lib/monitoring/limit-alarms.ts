import type { HandlerFunction } from '../handler-function.ts';
import { Storage } from '../storage.ts';
import type { AlarmSpec } from './alarm-spec.ts';
import { computed, functionMetric, indexThrottles, ownMetric, queueMetric } from './metrics.ts';
import { sumOf, throttlesOf } from './metrics.ts';
import type { Watched } from './watched.ts';

/** What Lambda counts of all functions together. */
export function functionSpecs(seen: Watched): AlarmSpec[] {
  const sum = (metric: string, of: readonly HandlerFunction[]) =>
    sumOf(
      metric.toLowerCase(),
      of.map((one) => functionMetric(one, metric)),
    );
  // An alarm takes ten metrics, its sum being one of them: `wake` has alarms of its own.
  const most = seen.functions.filter(({ node }) => node.id !== 'Wake');
  // Only who sends to a queue that calls it again can be taken for a loop.
  const circular = [seen.function('Deliver'), seen.function('Recover')];
  return [
    {
      name: 'functions-failing',
      says: 'Functions end with errors, or run out of time, for a quarter of an hour.',
      metric: sum('Errors', most),
      above: 0,
      periods: 3,
    },
    {
      name: 'functions-throttled',
      says: 'Lambda lets functions wait: the account is at its concurrency.',
      metric: sum('Throttles', most),
      above: 100,
      periods: 3,
    },
    {
      name: 'recursion-dropped',
      says: 'Lambda took the chain of later attempts for a runaway loop and dropped messages.',
      metric: sum('RecursiveInvocationsDropped', circular),
      above: 0,
    },
  ];
}

/** What comes near a limit, or near its end. */
export function limitSpecs(seen: Watched, stage: string): AlarmSpec[] {
  const inFlight = (path: string) => queueMetric(seen.queue(path), 'ApproximateNumberOfMessagesNotVisible');
  const indexes = [Storage.statusIndex, Storage.waitingIndex];
  return [
    {
      name: 'tables-throttled',
      says: 'DynamoDB refuses reads or writes for a quarter of an hour.',
      // One key of an index that is written too often has the write of its row refused, and is counted there.
      metric: sumOf('throttled', [
        ...seen.tables.flatMap(throttlesOf),
        ...indexes.map((index) => indexThrottles(seen.table('Ledger'), index)),
      ]),
      above: 100,
      periods: 3,
    },
    {
      name: 'in-flight-high',
      says: 'Over 80,000 messages of one queue are in flight; at 120,000 SQS hands out no more.',
      metric: computed('MAX([fresh, later])', 'in flight', {
        fresh: inFlight('Delivery/Deliveries'),
        later: inFlight('Delivery/Retries'),
      }),
      above: 80_000,
    },
    {
      name: 'clock-behind',
      says: 'The clock of a function is over five seconds behind that of SQS: signatures are dated wrongly.',
      metric: ownMetric('clock_behind_ms', stage, 'Maximum'),
      above: 5_000,
      periods: 2,
    },
    {
      name: 'certificate-expiring',
      says: 'A client certificate ends within a week, and its organization has not changed it.',
      metric: ownMetric('certificates_expiring', stage),
      above: 0,
    },
  ];
}
