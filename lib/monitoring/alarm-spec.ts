import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';

export interface AlarmSpec {
  /** Heading of docs/runbook.md, and name of the alarm. */
  readonly name: string;
  /** A sentence for who is woken by it. */
  readonly says: string;
  readonly metric: IMetric;
  /** It rings above this. */
  readonly above: number;
  /** Periods of the metric, five minutes each if it says no other, that are looked at; 1 by default. */
  readonly periods?: number;
  /** Of these periods, those that must be so; all by default. */
  readonly atLeast?: number;
  /** Rings when there is no value at all. */
  readonly isMissedWhenMissing?: true;
}
