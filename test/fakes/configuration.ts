import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { makeReadRecipient } from '../../lambdas/delivery/store.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import { endpointItem, makeEndpointStore, makeReadSubscribers } from '../../lambdas/endpoint/store.ts';
import type { Organization } from '../../lambdas/organization/organization.ts';
import { makeOrganizationStore, organizationItem } from '../../lambdas/organization/store.ts';
import { makeBatchedRead } from '../../lambdas/shared/store.ts';
import type { Item } from '../../lambdas/shared/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { makeSayChanged, makeVersions } from '../../lambdas/shared/versions/store.ts';
import type { SayChanged, Versions } from '../../lambdas/shared/versions.ts';
import { memoryTables } from './table/memory-tables.ts';

export interface MemoryConfiguration {
  readonly organizations: ReturnType<typeof makeOrganizationStore>;
  readonly endpoints: ReturnType<typeof makeEndpointStore>;
  readonly readSubscribers: ReturnType<typeof makeReadSubscribers>;
  readonly readRecipient: ReturnType<typeof makeReadRecipient>;
  readonly versions: Versions;
  readonly sayChanged: SayChanged;
  /** These write over whatever there is, as nobody but a test may. */
  readonly set: (endpoint: Endpoint) => void;
  readonly setOrganization: (organization: Organization) => void;
}

/** The stores of organizations and endpoints over a table in memory, of its own unless one is given. */
export function memoryConfiguration(
  // Nothing in the configuration ends, and nothing that reads it is behind.
  { client, config } = memoryTables({ now: () => 0 }),
  now: Now = Date.now,
): MemoryConfiguration {
  const put = (item: Item) => {
    // It is done by the time that `send` returns.
    void client.send(new PutCommand({ TableName: config, Item: item }));
  };
  return {
    organizations: makeOrganizationStore(client, config),
    endpoints: makeEndpointStore(client, config),
    readSubscribers: makeReadSubscribers(client, config),
    readRecipient: makeReadRecipient(makeBatchedRead(client, config)),
    versions: makeVersions(makeBatchedRead(client, config), now),
    sayChanged: makeSayChanged(client, config),
    set: (endpoint) => {
      put(endpointItem(endpoint));
    },
    setOrganization: (organization) => {
      put(organizationItem(organization));
    },
  };
}
