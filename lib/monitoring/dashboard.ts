import { GraphWidget, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmSpec } from './alarm-spec.ts';
import { waitFilters } from './filters.ts';
import { ownMetric } from './metrics.ts';

const columns = 3;
const width = 24 / columns;

/**
 * A graph for each alarm with the line at which it rings, in the order of the alarms: the most urgent at the top. Below
 * them what waits on purpose, by its cause.
 */
export function rowsOf(specs: readonly AlarmSpec[], stage: string): IWidget[][] {
  const hint = new TextWidget({
    markdown:
      'From the top: is anything late, is anything lost, is a limit near. What each means: `docs/runbook.md`.',
    width: 24,
    height: 1,
  });
  const graphs = specs.map(
    ({ name, metric, above }) =>
      new GraphWidget({
        title: name,
        left: [metric],
        leftAnnotations: [{ value: above, label: 'rings above' }],
        leftYAxis: { min: 0 },
        width,
        height: 5,
      }),
  );
  const rows = Array.from({ length: Math.ceil(graphs.length / columns) }, (_, row) =>
    graphs.slice(row * columns, (row + 1) * columns),
  );
  return [[hint], ...rows, [waits(stage)]];
}

function waits(stage: string): GraphWidget {
  return new GraphWidget({
    title: 'why deliveries wait',
    left: waitFilters.map(({ metric }) => ownMetric(metric, stage)),
    leftYAxis: { min: 0 },
    width: 24,
    height: 5,
  });
}
