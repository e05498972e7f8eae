import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { HandlerFunction } from '../handler-function.ts';

export const namespace = 'Tidings';

/** What our own log lines count, by metric filters: nothing is added to the hot path, and nothing can be forgotten. */
export function ownMetric(name: string, stage: string, statistic: 'Sum' | 'Maximum' = 'Sum'): Metric {
  return new Metric({ namespace, metricName: nameIn(stage, name), statistic, period: Duration.minutes(5) });
}

/** A metric filter has no fixed dimension: the stage stands in the name, so that stages in one account stay apart. */
export function nameIn(stage: string, name: string): string {
  return stage === 'prod' ? name : `${stage}_${name}`;
}

/** Metrics put together, by the names they have in an expression. */
export function computed(
  expression: string,
  label: string,
  usingMetrics: Readonly<Record<string, IMetric>>,
): MathExpression {
  return new MathExpression({
    expression,
    label,
    usingMetrics: { ...usingMetrics },
    period: Duration.minutes(5),
  });
}

/** The sum of one metric over several things. */
export function sumOf(label: string, metrics: readonly IMetric[]): MathExpression {
  const named = metrics.map((metric, index) => [`m${String(index)}`, metric] as const);
  // Where one of them has no value, the sum would have none.
  return computed(named.map(([name]) => `FILL(${name}, 0)`).join(' + '), label, Object.fromEntries(named));
}

/** What SQS says of a queue. */
export function queueMetric(queue: Queue, metricName: string): Metric {
  return new Metric({
    namespace: 'AWS/SQS',
    metricName,
    dimensionsMap: { QueueName: queue.queueName },
    statistic: 'Maximum',
    period: Duration.minutes(5),
  });
}

/** What Lambda counts of a function. */
export function functionMetric(one: HandlerFunction, metricName: string): Metric {
  const dimensionsMap = { FunctionName: one.functionName };
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName,
    dimensionsMap,
    statistic: 'Sum',
    period: Duration.minutes(5),
  });
}

/** Writes that DynamoDB refuses because one key of an index has too many of them. */
export function indexThrottles({ tableName }: Table, index: string): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName: 'WriteThrottleEvents',
    dimensionsMap: { TableName: tableName, GlobalSecondaryIndexName: index },
    statistic: 'Sum',
    period: Duration.minutes(5),
  });
}

/** What DynamoDB refuses of a table. */
export function throttlesOf({ tableName }: Table): Metric[] {
  return ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
    (metricName) =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName,
        dimensionsMap: { TableName: tableName },
        statistic: 'Sum',
        period: Duration.minutes(5),
      }),
  );
}
