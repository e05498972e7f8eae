import { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmSpec } from './alarm-spec.ts';
import { canarySpec } from './canary-alarm.ts';
import { computed, functionMetric, ownMetric, queueMetric, sumOf, throttlesOf } from './metrics.ts';
import type { Watched } from './watched.ts';

const minute = 60_000;

/** The alarms, the most urgent first. None rings in a deployment that has nothing to do, or for one bad receiver. */
export function alarmSpecs(seen: Watched, stage: string): AlarmSpec[] {
  return [
    ...(seen.hasCanary ? [canarySpec(stage)] : []),
    ...latenessSpecs(seen, stage),
    ...lossSpecs(seen, stage),
    ...limitSpecs(seen, stage),
  ];
}

function latenessSpecs(seen: Watched, stage: string): AlarmSpec[] {
  const age = (path: string) => queueMetric(seen.queue(path), 'ApproximateAgeOfOldestMessage');
  // Of those that do not flood: whoever has a backlog of his own waits behind the others, and wakes nobody.
  const quietAge = (path: string) =>
    queueMetric(seen.queue(path), 'ApproximateAgeOfOldestMessageInQuietGroups');
  return [
    {
      name: 'deliveries-late',
      says: 'Deliveries are made more than five minutes after they were due.',
      metric: ownMetric('late_ms', stage, 'Maximum'),
      above: 5 * minute,
      periods: 2,
    },
    {
      name: 'deliveries-not-taken',
      says: 'Fresh deliveries lie in their queue for more than five minutes.',
      metric: quietAge('Delivery/Deliveries'),
      above: 300,
      periods: 2,
    },
    {
      // Whoever waits is sent again every 15 minutes at the latest: what is older is not worked on.
      name: 'retries-not-taken',
      says: 'Later attempts lie in their queue for more than half an hour.',
      metric: age('Delivery/Retries'),
      above: 1_800,
      periods: 2,
    },
    {
      name: 'events-not-taken',
      says: 'Events lie in their queue for more than five minutes.',
      metric: quietAge('Ingest/Events'),
      above: 300,
      periods: 2,
    },
    {
      name: 'signing-unavailable',
      says: 'Deliveries wait because their secret or key cannot be had, or KMS throttles.',
      metric: ownMetric('signing_unavailable', stage),
      above: 0,
      periods: 2,
    },
    {
      name: 'success-rate-low',
      says: 'Less than half of a hundred attempts and more are taken; endpoints that are paused make none.',
      metric: computed(
        'IF(attempts >= 100, 100 * (attempts - FILL(delivered, 0)) / attempts, 0)',
        'failed %',
        {
          attempts: ownMetric('attempts', stage),
          delivered: ownMetric('attempts_delivered', stage),
        },
      ),
      above: 50,
      periods: 3,
    },
  ];
}

/** Held in flight by `tidy`, a dead letter is one all the same. */
function lettersIn({ queue }: Watched, path: string): IMetric {
  return computed('visible + held', 'messages', {
    visible: queueMetric(queue(path), 'ApproximateNumberOfMessagesVisible'),
    held: queueMetric(queue(path), 'ApproximateNumberOfMessagesNotVisible'),
  });
}

function lossSpecs(seen: Watched, stage: string): AlarmSpec[] {
  const reconcile = seen.function('Reconcile');
  return [
    {
      name: 'dead-letters',
      says: 'Deliveries have used up their attempts.',
      metric: lettersIn(seen, 'Delivery/DeliveriesDead'),
      above: 0,
      periods: 3,
    },
    {
      name: 'dead-events',
      says: 'Events name no organization that exists, or are none, or could not be routed.',
      metric: lettersIn(seen, 'Ingest/EventsDead'),
      above: 0,
    },
    {
      name: 'dead-bus',
      says: 'EventBridge could not put events on the queue.',
      metric: lettersIn(seen, 'Ingest/BusDead'),
      above: 0,
    },
    {
      name: 'dead-recoveries',
      says: 'A recovery stands still.',
      metric: lettersIn(seen, 'Recovery/Dead'),
      above: 0,
    },
    {
      name: 'events-refused',
      says: 'More than ten events in five minutes broke a rule: a producer sends what nobody can get.',
      metric: ownMetric('events_refused', stage),
      above: 10,
    },
    {
      name: 'reconciliation-gap',
      says: 'Deliveries are missing, or overdue.',
      metric: ownMetric('reconciliation_gaps', stage),
      above: 0,
    },
    {
      name: 'reconciliation-incomplete',
      says: 'Reconciliation did not come to the end of the organizations.',
      metric: ownMetric('reconciliation_incomplete', stage),
      above: 0,
    },
    {
      name: 'reconciliation-silent',
      says: 'Reconciliation has not run for two hours.',
      metric: computed('IF(runs > 0, 0, 1)', 'silent', {
        runs: functionMetric(reconcile, 'Invocations'),
      }).with({
        period: Duration.hours(2),
      }),
      above: 0,
      isMissedWhenMissing: true,
    },
  ];
}

function limitSpecs(seen: Watched, stage: string): AlarmSpec[] {
  const inFlight = (path: string) => queueMetric(seen.queue(path), 'ApproximateNumberOfMessagesNotVisible');
  const everywhere = (metric: string) =>
    sumOf(
      metric.toLowerCase(),
      seen.functions.map((one) => functionMetric(one, metric)),
    );
  return [
    {
      name: 'functions-failing',
      says: 'Functions end with errors, or run out of time, for a quarter of an hour.',
      metric: everywhere('Errors'),
      above: 0,
      periods: 3,
    },
    {
      name: 'functions-throttled',
      says: 'Lambda lets functions wait: the account is at its concurrency.',
      metric: everywhere('Throttles'),
      above: 100,
      periods: 3,
    },
    {
      name: 'recursion-dropped',
      says: 'Lambda took the chain of later attempts for a runaway loop and dropped messages.',
      metric: everywhere('RecursiveInvocationsDropped'),
      above: 0,
    },
    {
      name: 'tables-throttled',
      says: 'DynamoDB refuses reads or writes for a quarter of an hour.',
      metric: sumOf('throttled', seen.tables.flatMap(throttlesOf)),
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
