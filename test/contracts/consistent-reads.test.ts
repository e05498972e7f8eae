import { expect, test, vi } from 'vitest';
import { makeEndpointStore, makeReadSubscribers } from '../../lambdas/endpoint/store.ts';
import { makeEventTypeStore } from '../../lambdas/event/store.ts';
import { makeOrganizationStore } from '../../lambdas/organization/store.ts';
import { makeSigningKeyStore } from '../../lambdas/signing/store.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';

/** No DynamoDB in memory is ever behind, so what is asked for is all that can be looked at. */
test.each([
  ['event types', (of: Tables) => makeEventTypeStore(of.client, of.config).list()],
  ['an endpoint', (of: Tables) => makeEndpointStore(of.client, of.config).get('org_1', 'ep_1')],
  ['an organization', (of: Tables) => makeOrganizationStore(of.client, of.config).get('org_1')],
  ['who subscribes', (of: Tables) => makeReadSubscribers(of.client, of.config)('org_1')],
  ['the newest signing key', (of: Tables) => makeSigningKeyStore(of.client, of.config).newestKid('org_1')],
  ['signing keys', (of: Tables) => makeSigningKeyStore(of.client, of.config).list('org_1')],
])(
  'what was answered a moment ago is heeded by whoever reads %s: an old reading would be remembered under the new version',
  async (_what, read) => {
    const tables = memoryTables({ now: () => 0 });
    const send = vi.spyOn(tables.client, 'send');
    await read(tables);
    expect(send.mock.calls.map(([command]) => command.input)).toEqual([
      expect.objectContaining({ TableName: tables.config, ConsistentRead: true }),
    ]);
  },
);

type Tables = ReturnType<typeof memoryTables>;
