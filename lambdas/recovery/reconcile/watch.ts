import { operatorEvent } from '../../event/operator-event.ts';
import type { Announce } from '../../event/operator-event.ts';
import type { Log } from '../../shared/log.ts';
import { isoTime } from '../../shared/time.ts';
import { reconcile } from './reconcile.ts';
import type { ReconcilePorts } from './reconcile.ts';
import { hasGap } from './tally.ts';
import type { Reconciliation } from './tally.ts';

export interface WatchPorts extends Omit<ReconcilePorts, 'tell'> {
  readonly announce: Announce;
  readonly log: Log;
}

const hourMs = 3_600_000;

/** What an operator needs to begin; the rest is in the log and in `npm run reconcile`. */
const toldMax = 20;

/**
 * Reconciles what happened from three hours ago until one hour ago: run every hour it looks at each event twice, so
 * that one run which fails loses nothing. What is missing goes into the log and on the bus, organization by
 * organization, before the next one is looked at.
 */
export async function watch(ports: WatchPorts): Promise<void> {
  const nowMs = ports.clock.now();
  const span = { since: isoTime(nowMs - 3 * hourMs), until: isoTime(nowMs - hourMs) };
  const tell = async (organizationId: string, outcome: Reconciliation): Promise<void> => {
    if (!hasGap(outcome)) return;
    const { counts, findings } = outcome;
    ports.log('reconciliation.gap', { organizationId, ...span, ...counts });
    const told = findings.slice(0, toldMax).map(({ organizationId: _, ...finding }) => finding);
    const detail = { organizationId, ...span, counts, findings: told };
    await ports.announce(operatorEvent('reconciliation.gap', detail));
  };
  const { counts, isComplete } = await reconcile({ ...ports, tell }, span);
  ports.log('reconciliation.done', { ...span, ...counts, isComplete });
}
