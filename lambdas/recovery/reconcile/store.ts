import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeDeliveryReader } from '../../delivery/store.ts';
import { makeHealthStore } from '../../endpoint/health/store.ts';
import { makeEventStore } from '../../event/store.ts';
import { makeOrganizationStore } from '../../organization/store.ts';
import { isoTime } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import { duePartitions } from '../../shared/waiting.ts';
import { makeReadWaiting } from '../waiting/store.ts';
import type { ReconcilePorts } from './reconcile.ts';
import { findingsMax } from './tally.ts';

export interface Tables {
  readonly config: string;
  readonly ledger: string;
}

/** All that a reconciliation reads; the function and the command line look at the same. */
export function makeReconcileReads(
  client: DynamoDBDocumentClient,
  { config, ledger }: Tables,
  now: Now,
): Pick<ReconcilePorts, 'listOrganizations' | 'ledger' | 'isAttended'> {
  const deliveries = makeDeliveryReader(client, ledger, now);
  const waiting = makeReadWaiting(client, ledger, now);
  const health = makeHealthStore(client, ledger, now);
  return {
    listOrganizations: makeOrganizationStore(client, config).list,
    ledger: {
      listEvents: makeEventStore(client, ledger, now).between,
      listOverdue: async (beforeMs) => {
        const pages = duePartitions.map((partition) =>
          waiting.list({ partition, after: undefined, through: isoTime(beforeMs) }, findingsMax),
        );
        const rows = (await Promise.all(pages)).flatMap((page) => page.rows);
        return rows.filter((one) => one.eventId !== undefined);
      },
      readDelivery: deliveries.get,
    },
    isAttended: async (endpointId) => (await health.readLatest(endpointId)).backlog !== undefined,
  };
}
