import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeDeliveryReader } from '../../delivery/store.ts';
import { makeIsWaiting } from '../../endpoint/health/store.ts';
import { makeEventStore } from '../../event/store.ts';
import { makeOrganizationStore } from '../../organization/store.ts';
import type { Now } from '../../shared/time.ts';
import type { ReconcilePorts } from './reconcile.ts';

export interface Tables {
  readonly config: string;
  readonly ledger: string;
}

/** All that a reconciliation reads; the function and the command line look at the same. */
export function makeReconcileReads(
  client: DynamoDBDocumentClient,
  { config, ledger }: Tables,
  now: Now,
): Pick<ReconcilePorts, 'listOrganizations' | 'ledger' | 'isWaiting'> {
  const deliveries = makeDeliveryReader(client, ledger, now);
  return {
    listOrganizations: makeOrganizationStore(client, config).list,
    ledger: {
      listEvents: makeEventStore(client, ledger, now).between,
      listRetrying: (organizationId, page) => deliveries.withStatus(organizationId, 'retrying', page),
      readDelivery: deliveries.get,
    },
    isWaiting: makeIsWaiting(client, ledger, now),
  };
}
