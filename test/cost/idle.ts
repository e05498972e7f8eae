import { z } from 'zod';
import type { Synthesized } from '../lib/synthesized.ts';
import { prices } from './prices.ts';

const minutesAMonth = 43_800;

/** Keys of the index `waiting` by which what is due is found: `wake` asks for each of them in every run. */
const shards = 16;

/** A run of `wake` that finds nothing: 0.2 s at 512 MB. */
const wakeGbSeconds = 0.1;

/** A line of the bill of a deployment that does nothing. */
export interface Item {
  readonly what: string;
  readonly count: number;
  /** Dollars a month, of all together. */
  readonly dollars: number;
}

const alarm = z.object({ Metrics: z.array(z.object({ MetricStat: z.unknown().optional() })).optional() });

/** What the template costs a month when nothing is published. Storage, logs and the API are below a cent then. */
export function idleItems({ resources }: Pick<Synthesized, 'resources'>): Item[] {
  const ofType = (type: string) => [...resources.values()].filter(({ Type }) => Type === type);
  const mappings = ofType('AWS::Lambda::EventSourceMapping').length;
  const queues = ofType('AWS::SQS::Queue').length;
  const metrics = ofType('AWS::CloudWatch::Alarm')
    .map(({ Properties }) => alarm.parse(Properties).Metrics)
    .reduce((sum, all) => sum + (all?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1), 0);
  const keys = ofType('AWS::KMS::Key').length;
  const dashboards = ofType('AWS::CloudWatch::Dashboard').length;
  const runs = 4 * 730 + 730 + 30;
  return [
    // Five pollers of each mapping, each asking three times a minute: the most that an idle queue costs.
    item('queues that a function polls', mappings, 15 * minutesAMonth * prices.sqsRequest.usd),
    item('key of the stack', keys, prices.kmsKeyMonth.usd),
    // A data key an hour, for who sends and who receives.
    item('queues, for data keys', queues, 2 * 730 * prices.kmsRequest.usd),
    item('metrics that alarms look at', metrics, prices.alarmMetricMonth.usd),
    item('dashboard (three of an account are free)', dashboards, prices.dashboardMonth.usd),
    item('runs of tidy, reconcile and the daily function', runs, prices.invocation.usd + prices.gbSecond.usd),
    item(
      'runs of wake, one a minute',
      minutesAMonth,
      prices.invocation.usd + wakeGbSeconds * prices.gbSecond.usd,
    ),
    // Of an index a Query is eventually consistent: half a unit when it finds nothing.
    item('its reads of what is due, 16 a run', shards * minutesAMonth, prices.readUnit.usd / 2),
  ];
}

function item(what: string, count: number, each: number): Item {
  return { what, count, dollars: count * each };
}

/** The items as the lines of a table in Markdown, with their sum. */
export function tableOf(items: readonly Item[]): string[] {
  const lines = items.map(
    ({ what, count, dollars }) => `| ${what} | ${String(count)} | ${dollars.toFixed(2)} |`,
  );
  const sum = items.reduce((total, { dollars }) => total + dollars, 0);
  return [...lines, `| **together** | | **${sum.toFixed(2)}** |`];
}
