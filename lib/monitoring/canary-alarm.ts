import { Duration } from 'aws-cdk-lib';
import type { AlarmSpec } from './alarm-spec.ts';
import { computed, ownMetric } from './metrics.ts';

/** Only with a canary (decision 21). */
export function canarySpec(stage: string): AlarmSpec {
  return {
    name: 'canary-missing',
    says: 'Of three events that were sent through everything, two did not arrive within a minute.',
    metric: computed('IF(FILL(arrived, 0) > 0, 0, 1)', 'missing', {
      arrived: ownMetric('canary_arrived', stage),
    }).with({ period: Duration.minutes(1) }),
    above: 0,
    periods: 3,
    atLeast: 2,
    isMissedWhenMissing: true,
  };
}
