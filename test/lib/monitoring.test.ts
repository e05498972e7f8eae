import { Match } from 'aws-cdk-lib/assertions';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  canaryFilter,
  eventFilters,
  filters as always,
  waitCauses,
  waitFilters,
} from '../../lib/monitoring/filters.ts';
import type { Cause } from '../../lambdas/delivery/park.ts';
import { queries } from '../../lib/monitoring/queries.ts';
import { nameOf, synthesized } from './synthesized.ts';

const filters = [...always, ...waitFilters, ...eventFilters, canaryFilter];
const root = join(import.meta.dirname, '..', '..');
const { template, resources, text } = synthesized({ canary: 'true' });
const runbook = readFileSync(join(root, 'docs', 'runbook.md'), 'utf8');
const source = globSync('lambdas/**/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

const stat = z.object({
  Metric: z.object({ Namespace: z.string(), MetricName: z.string() }),
  Period: z.number(),
});
const alarm = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()).min(1),
  OKActions: z.array(z.unknown()).min(1),
  ComparisonOperator: z.literal('GreaterThanThreshold'),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number().optional(),
  Threshold: z.number(),
  TreatMissingData: z.enum(['notBreaching', 'breaching']),
  MetricName: z.string().optional(),
  Metrics: z
    .array(z.object({ Id: z.string(), Expression: z.string().optional(), MetricStat: stat.optional() }))
    .optional(),
});

type Alarm = z.output<typeof alarm>;

const alarms = [...resources.values()]
  .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
  .map(({ Properties }) => alarm.parse(Properties));
const names = alarms.map(({ AlarmName }) => AlarmName.replace('tidings-', ''));

/** Values of metrics in one period, by `MetricName`; one that is not named has no value then. */
type Values = Readonly<Record<string, number>>;

/** What CloudWatch compares with the threshold; metric math as its reference has it, of what is used here. */
function valueOf(one: Alarm, values: Values): number | undefined {
  if (one.MetricName !== undefined) return values[one.MetricName];
  const all = one.Metrics ?? [];
  const named = all.flatMap(({ Id, MetricStat }) =>
    MetricStat === undefined ? [] : [[Id, values[MetricStat.Metric.MetricName]] as const],
  );
  const math = {
    IF: (isSo: boolean, yes: number, no: number) => (isSo ? yes : no),
    FILL: (value: number | undefined, other: number) => value ?? other,
    MAX: (list: readonly number[]) => Math.max(...list),
  };
  const expression = all.find((metric) => metric.Expression !== undefined)?.Expression ?? '';
  const value: unknown = runInNewContext(expression, { ...math, ...Object.fromEntries(named) });
  return z
    .number()
    .optional()
    .catch(undefined)
    .parse(Number.isNaN(value) ? undefined : value);
}

/** Whether an alarm rings after these periods, the latest last. */
function rings(one: Alarm, periods: readonly Values[]): boolean {
  const breaches = periods.map((values) => {
    const value = valueOf(one, values);
    return value === undefined ? one.TreatMissingData === 'breaching' : value > one.Threshold;
  });
  const { EvaluationPeriods: looked, DatapointsToAlarm: atLeast = looked } = one;
  return breaches.length >= looked && breaches.slice(-looked).filter(Boolean).length >= atLeast;
}

const visible = 'ApproximateNumberOfMessagesVisible';
const held = 'ApproximateNumberOfMessagesNotVisible';
const age = 'ApproximateAgeOfOldestMessage';
const quietAge = `${age}InQuietGroups`;

/** What each alarm bears, and what it rings at. */
const lines: Readonly<Record<string, { well: Values; ill: Values }>> = {
  'canary-missing': { well: { canary_arrived: 1 }, ill: {} },
  'deliveries-late': { well: { late_ms: 300_000 }, ill: { late_ms: 300_001 } },
  'deliveries-not-taken': { well: { [quietAge]: 300 }, ill: { [quietAge]: 301 } },
  'retries-not-taken': { well: { [age]: 1_020 }, ill: { [age]: 1_801 } },
  'events-not-taken': { well: { [quietAge]: 300 }, ill: { [quietAge]: 301 } },
  'signing-unavailable': { well: {}, ill: { signing_unavailable: 1 } },
  // A hundred attempts of one bad receiver are not enough, and it is paused by then.
  'success-rate-low': { well: { attempts: 99 }, ill: { attempts: 100, attempts_delivered: 49 } },
  // One run that failed is made up for by the next.
  'wake-silent': { well: { Invocations: 5, Errors: 4 }, ill: { Invocations: 5, Errors: 5 } },
  'wake-late': { well: { wake_late_ms: 300_000 }, ill: { wake_late_ms: 300_001 } },
  'dead-letters': { well: { [visible]: 0, [held]: 0 }, ill: { [visible]: 0, [held]: 1 } },
  'lanes-dead-visible': { well: { [visible]: 0, [held]: 0 }, ill: { [visible]: 0, [held]: 1 } },
  'dead-events': { well: { [visible]: 0, [held]: 0 }, ill: { [visible]: 1, [held]: 0 } },
  'dead-bus': { well: { [visible]: 0, [held]: 0 }, ill: { [visible]: 1, [held]: 0 } },
  'dead-recoveries': { well: { [visible]: 0, [held]: 0 }, ill: { [visible]: 1, [held]: 0 } },
  'events-refused': { well: { events_refused: 10 }, ill: { events_refused: 11 } },
  'reconciliation-gap': { well: {}, ill: { reconciliation_gaps: 1 } },
  'reconciliation-incomplete': { well: {}, ill: { reconciliation_incomplete: 1 } },
  'reconciliation-silent': { well: { Invocations: 1 }, ill: {} },
  'functions-failing': { well: { Errors: 0 }, ill: { Errors: 1 } },
  'functions-throttled': { well: { Throttles: 1 }, ill: { Throttles: 101 } },
  'recursion-dropped': { well: {}, ill: { RecursiveInvocationsDropped: 1 } },
  'tables-throttled': { well: { ReadThrottleEvents: 10 }, ill: { WriteThrottleEvents: 101 } },
  'in-flight-high': { well: { [held]: 80_000 }, ill: { [held]: 80_001 } },
  'clock-behind': { well: { clock_behind_ms: 5_000 }, ill: { clock_behind_ms: 5_001 } },
  'certificate-expiring': { well: {}, ill: { certificates_expiring: 1 } },
};

describe('alarms', () => {
  it('have a heading in the runbook, each its own, in the same order', () => {
    const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(names);
    for (const { AlarmName, AlarmDescription } of alarms) {
      expect(AlarmDescription).toContain(`docs/runbook.md#${AlarmName.replace('tidings-', '')}`);
    }
    expect(runbook).toContain(`${String(names.length)} alarms`);
  });

  it('say nothing of a canary that is not there', () => {
    const without = synthesized().text;
    expect(without).not.toMatch(/canary/i);
  });

  it('are all tried here', () => {
    expect(Object.keys(lines)).toEqual(names);
  });

  it.each(alarms.map((one) => [one.AlarmName.replace('tidings-', ''), one] as const))(
    '%s rings when its line is passed for long enough, and not before',
    (name, one) => {
      const { well = {}, ill = {} } = lines[name] ?? {};
      const { EvaluationPeriods: looked, DatapointsToAlarm: atLeast = looked } = one;
      const periods = (bad: number) => [
        ...Array.from({ length: looked - bad }, () => well),
        ...Array.from({ length: bad }, () => ill),
      ];
      expect(rings(one, periods(atLeast))).toBe(true);
      expect(rings(one, periods(atLeast).toReversed())).toBe(true);
      expect(rings(one, periods(atLeast - 1))).toBe(false);
      expect(rings(one, periods(atLeast - 1).toReversed())).toBe(false);
    },
  );

  it('do not ring where nothing happens, but for those that tell silence', () => {
    const ringing = alarms.filter((one) =>
      rings(
        one,
        Array.from({ length: 5 }, () => ({})),
      ),
    );
    expect(ringing.map(({ AlarmName }) => AlarmName)).toEqual([
      'tidings-canary-missing',
      'tidings-wake-silent',
      'tidings-reconciliation-silent',
    ]);
  });

  it('have ten metrics at most, as CloudWatch takes', () => {
    expect(alarms.filter(({ Metrics = [] }) => Metrics.length > 10)).toEqual([]);
  });

  it('ring when wake does not run at all, too', () => {
    const silent = alarms.find(({ AlarmName }) => AlarmName.endsWith('wake-silent'));
    expect(silent !== undefined && rings(silent, [{}, {}])).toBe(true);
  });

  it('count the errors of every function, by the sum or by an alarm of its own', () => {
    const counted = [...resources.values()]
      .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
      .flatMap(({ Properties }) => z.array(z.unknown()).default([]).parse(Properties['Metrics']))
      .map((metric) => JSON.stringify(metric))
      .filter((metric) => metric.includes('"MetricName":"Errors"'));
    const functions = [...resources]
      .filter(([id, { Type }]) => Type === 'AWS::Lambda::Function' && !id.startsWith('Canary'))
      .map(([id]) => id);
    expect(functions.length).toBeGreaterThan(9);
    expect(functions.filter((id) => !counted.some((metric) => metric.includes(`"Ref":"${id}"`)))).toEqual([]);
  });

  it('look at two hours where something comes every hour', () => {
    const silent = alarms.find(({ AlarmName }) => AlarmName.endsWith('reconciliation-silent'));
    expect(silent?.Metrics?.flatMap(({ MetricStat }) => MetricStat?.Period ?? [])).toEqual([7_200]);
  });

  it('go to an encrypted topic, to which CloudWatch can write, and to the mailbox that is named', () => {
    const [topic] = [...resources.values()].filter(({ Type }) => Type === 'AWS::SNS::Topic');
    expect(nameOf(topic?.Properties['KmsMasterKeyId'])).toBe('StorageKey');
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ]),
      },
    });
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    synthesized({ alarmEmail: 'night@acme.example' }).template.hasResourceProperties(
      'AWS::SNS::Subscription',
      {
        Protocol: 'email',
        Endpoint: 'night@acme.example',
      },
    );
  });
});

describe('metrics of our own', () => {
  it.each(filters)('$metric counts lines that there are', ({ message, value }) => {
    expect(source).toContain(`'${message}'`);
    if (value !== undefined) expect(source).toContain(`${value.slice('$.'.length)}:`);
  });

  it('signing_unavailable counts every delivery that was held because nothing could be signed', () => {
    template.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern: '{ ($.message = "delivery.held") && ($.code = "signing_unavailable") }',
      MetricTransformations: [
        Match.objectLike({ MetricNamespace: 'Tidings', MetricName: 'signing_unavailable', MetricValue: '1' }),
      ],
    });
    const [filter] = [...resources.values()].filter(({ Type }) => Type === 'AWS::Logs::MetricFilter');
    expect(nameOf(filter?.Properties['LogGroupName'])).toBe('DeliveryDeliverLog');
  });

  it('count waits by each cause that there is', () => {
    // Of the type's own values: one more does not compile here until it is counted.
    const causes: Record<Cause, true> = {
      paused: true,
      probed: true,
      behind: true,
      paced: true,
      share: true,
    };
    expect([...waitCauses].toSorted()).toEqual(Object.keys(causes).toSorted());
  });

  it('have no dimensions, and so one series each', () => {
    template.resourceCountIs('AWS::Logs::MetricFilter', filters.length);
    template.allResourcesProperties('AWS::Logs::MetricFilter', {
      MetricTransformations: [{ MetricNamespace: 'Tidings', Dimensions: Match.absent() }],
    });
    expect(runbook).toContain('ten metrics of our own');
    expect(always).toHaveLength(10);
    expect(runbook).toContain('six more');
    expect(waitFilters).toHaveLength(6);
    expect(runbook).toContain('two count events');
    expect(eventFilters).toHaveLength(2);
  });

  it('of another stage have other names', () => {
    const { text: other } = synthesized({ stage: 'dev', canary: 'true' });
    for (const { metric } of filters) {
      expect(other).toContain(`"MetricName":"dev_${metric}"`);
      expect(text).toContain(`"MetricName":"${metric}"`);
    }
  });
});

describe('saved queries', () => {
  it.each(queries)('$name asks for fields that log lines have', ({ fields, filter }) => {
    const words = filter.replaceAll(/"[^"]*"/g, '').match(/[A-Za-z]\w+/g) ?? [];
    const own = words.filter((word) => !['and', 'or', 'ispresent', 'level', 'message'].includes(word));
    for (const field of [...fields, ...own].filter((one) => one !== 'message')) {
      expect(source).toMatch(new RegExp(`\\b${field}\\b`));
    }
  });

  it('are saved under the name of the stack', () => {
    template.resourceCountIs('AWS::Logs::QueryDefinition', queries.length);
    template.allResourcesProperties('AWS::Logs::QueryDefinition', {
      Name: Match.stringLikeRegexp('^tidings/'),
    });
  });
});

it('the dashboard shows each alarm, the most urgent first', () => {
  const [dashboard] = [...resources.values()].filter(({ Type }) => Type === 'AWS::CloudWatch::Dashboard');
  const body = nameOf(dashboard?.Properties['DashboardBody']);
  const titles = [...body.matchAll(/"title":"([^"]+)"/g)].map(([, title]) => title);
  expect(titles).toEqual(['Alarms', ...names, 'why deliveries wait']);
});
