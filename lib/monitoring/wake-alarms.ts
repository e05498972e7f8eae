import type { AlarmSpec } from './alarm-spec.ts';
import { computed, functionMetric, ownMetric } from './metrics.ts';
import type { Watched } from './watched.ts';

const lateMsMax = 300_000;

/** What waits is sent on by `wake` alone: without it nothing is lost, and nothing that waits goes on. */
export function wakeSpecs(seen: Watched, stage: string): AlarmSpec[] {
  const wake = seen.function('Wake');
  return [
    {
      name: 'wake-silent',
      says: 'For ten minutes no run of wake came to its end: what waits is not sent on.',
      metric: computed('IF(FILL(runs, 0) > FILL(failed, 0), 0, 1)', 'silent', {
        runs: functionMetric(wake, 'Invocations'),
        failed: functionMetric(wake, 'Errors'),
      }),
      above: 0,
      periods: 2,
      isMissedWhenMissing: true,
    },
    {
      name: 'wake-late',
      says: 'What waits is sent on more than five minutes after it was due: more is due each minute than wake sends.',
      metric: ownMetric('wake_late_ms', stage, 'Maximum'),
      above: lateMsMax,
      periods: 2,
    },
  ];
}
