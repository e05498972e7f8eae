import { isoTime } from '../../lambdas/shared/time.ts';
import { testStartMs } from './clock.ts';

interface Wish {
  readonly id?: string;
  readonly type?: string;
  readonly timeMs?: number;
  /** Parts of the detail; `undefined` leaves one out. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** An event as EventBridge hands it to its target: a valid one of `org_1`. */
export function aBusEvent({ id = 'bus-1', type, timeMs = testStartMs, detail = {} }: Wish = {}) {
  return {
    version: '0',
    id,
    'detail-type': type ?? 'pipeline.run.failed',
    source: 'acme.pipelines',
    account: '000000000000',
    time: isoTime(timeMs),
    region: 'us-east-1',
    resources: [],
    detail: { organizationId: 'org_1', resource: 'pipeline/42', data: { runId: 77 }, ...detail },
  };
}
