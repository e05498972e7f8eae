import { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmSpec } from './alarm-spec.ts';
import { canarySpec } from './canary-alarm.ts';
import { functionSpecs, limitSpecs } from './limit-alarms.ts';
import { computed, functionMetric, ownMetric, queueMetric } from './metrics.ts';
import { wakeSpecs } from './wake-alarms.ts';
import type { Watched } from './watched.ts';

const minute = 60_000;

/** The alarms, the most urgent first. None rings in a deployment that has nothing to do, or for one bad receiver. */
export function alarmSpecs(seen: Watched, stage: string): AlarmSpec[] {
  return [
    ...(seen.hasCanary ? [canarySpec(stage)] : []),
    ...latenessSpecs(seen, stage),
    ...wakeSpecs(seen, stage),
    ...deadSpecs(seen),
    ...lossSpecs(seen, stage),
    ...functionSpecs(seen),
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
      // A message waits for 15 minutes at most: what is older is not worked on.
      name: 'retries-not-taken',
      says: 'Later attempts, or dead letters on their way, lie in their queue for more than half an hour.',
      metric: computed('MAX([FILL(later, 0), FILL(falling, 0)])', 'seconds', {
        later: age('Delivery/Retries'),
        falling: age('Delivery/Falling'),
      }),
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

function deadSpecs(seen: Watched): AlarmSpec[] {
  return [
    {
      name: 'dead-letters',
      says: 'Deliveries have used up their attempts.',
      metric: lettersIn(seen, 'Delivery/DeliveriesDead'),
      above: 0,
      periods: 3,
    },
    {
      name: 'lanes-dead-visible',
      says: 'Messages were received fifty times, and nobody could say what they are or get them done.',
      metric: lettersIn(seen, 'Delivery/LanesDead'),
      above: 0,
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
  ];
}

function lossSpecs(seen: Watched, stage: string): AlarmSpec[] {
  const reconcile = seen.function('Reconcile');
  return [
    {
      name: 'events-refused',
      says: 'More than ten events in five minutes broke a rule: a producer sends what nobody can get.',
      metric: ownMetric('events_refused', stage),
      above: 10,
    },
    {
      name: 'reconciliation-gap',
      says: 'Deliveries are missing or overdue, or events unrouted.',
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
