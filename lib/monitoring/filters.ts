import type { Construct } from 'constructs';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { JsonPattern } from 'aws-cdk-lib/aws-logs';
import { nameIn, namespace } from './metrics.ts';
import type { Watched } from './watched.ts';

export interface Filter {
  readonly metric: string;
  /** Function whose lines are counted. */
  readonly of: string;
  readonly message: string;
  /** Further conditions. */
  readonly when?: readonly JsonPattern[];
  /** Field whose number is the value; 1 for each line without it. */
  readonly value?: string;
}

/** One entry for each metric of our own: $0.30 a month, in months in which it has a value. */
export const filters: readonly Filter[] = [
  {
    metric: 'signing_unavailable',
    of: 'Deliver',
    message: 'delivery.held',
    when: [FilterPattern.stringValue('$.code', '=', 'signing_unavailable')],
  },
  { metric: 'attempts', of: 'Deliver', message: 'delivery.attempted' },
  {
    metric: 'attempts_delivered',
    of: 'Deliver',
    message: 'delivery.attempted',
    when: [FilterPattern.stringValue('$.outcome', '=', 'delivered')],
  },
  { metric: 'late_ms', of: 'Deliver', message: 'batch.received', value: '$.lateMs' },
  { metric: 'clock_behind_ms', of: 'Deliver', message: 'batch.received', value: '$.clockBehindMs' },
  {
    metric: 'wake_late_ms',
    of: 'Wake',
    message: 'wake.done',
    // A metric that has no value costs nothing: most runs have nothing to send.
    when: [FilterPattern.numberValue('$.lateMs', '>', 0)],
    value: '$.lateMs',
  },
  { metric: 'events_refused', of: 'Route', message: 'event.refused' },
  { metric: 'reconciliation_gaps', of: 'Reconcile', message: 'reconciliation.gap' },
  {
    metric: 'reconciliation_incomplete',
    of: 'Reconcile',
    message: 'reconciliation.done',
    when: [FilterPattern.booleanValue('$.isComplete', false)],
  },
  {
    metric: 'certificates_expiring',
    of: 'Warn',
    message: 'certificate.expiring',
    when: [FilterPattern.numberValue('$.days', '<=', 7)],
  },
];

/** Why deliveries wait, though their time has come: each `Cause` of lambdas/delivery/park.ts (a test compares them). */
export const waitCauses = ['paused', 'behind', 'paced', 'share', 'probed'] as const;

/** What is counted for the dashboard alone: no alarm rings for what waits on purpose. */
export const waitFilters: readonly Filter[] = [
  ...waitCauses.map((cause) => ({
    metric: waitMetric(cause),
    of: 'Deliver',
    message: 'delivery.waits',
    when: [FilterPattern.stringValue('$.cause', '=', cause)],
  })),
  {
    metric: 'parked',
    of: 'Deliver',
    message: 'delivery.waits',
    when: [FilterPattern.booleanValue('$.isParked', true)],
  },
];

/** What no alarm and no graph needs: how often producers publish what nobody can get. */
export const eventFilters: readonly Filter[] = [
  {
    metric: 'events_conflicting',
    of: 'Route',
    message: 'event.refused',
    when: [FilterPattern.stringValue('$.code', '=', 'idempotency_conflict')],
  },
  {
    metric: 'events_of_nobody',
    of: 'Route',
    message: 'event.refused',
    when: [
      FilterPattern.any(
        FilterPattern.stringValue('$.code', '=', 'malformed_event'),
        FilterPattern.stringValue('$.code', '=', 'unknown_organization'),
      ),
    ],
  },
];

/** Name of the metric that counts waits of a cause. */
export function waitMetric(cause: (typeof waitCauses)[number]): string {
  return `waits_${cause}`;
}

/** Only with a canary. */
export const canaryFilter: Filter = {
  metric: 'canary_arrived',
  of: 'CanaryReceive',
  message: 'canary.arrived',
  // What comes later, by a retry, is no sign that all is well now.
  when: [FilterPattern.numberValue('$.tookMs', '<', 60_000)],
};

/** Counts our own log lines. */
export function addFilters(
  scope: Construct,
  { function: functionNamed, hasCanary }: Watched,
  stage: string,
): void {
  const counted = [...filters, ...waitFilters, ...eventFilters, ...(hasCanary ? [canaryFilter] : [])];
  for (const { metric, of, message, when = [], value = '1' } of counted) {
    new MetricFilter(scope, `Filter_${metric}`, {
      logGroup: functionNamed(of).logGroup,
      filterPattern: FilterPattern.all(FilterPattern.stringValue('$.message', '=', message), ...when),
      metricNamespace: namespace,
      metricName: nameIn(stage, metric),
      metricValue: value,
    });
  }
}
