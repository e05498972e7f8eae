import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isServed } from '../../lambdas/delivery/decide.ts';
import { makeReadRecipient } from '../../lambdas/delivery/store.ts';
import { makeEndpointStore, makeReadSubscribers } from '../../lambdas/endpoint/store.ts';
import { makeOrganizationStore } from '../../lambdas/organization/store.ts';
import { cached } from '../../lambdas/shared/cache.ts';
import { makeBatchedRead } from '../../lambdas/shared/store.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import type { MemoryConfiguration } from '../fakes/configuration.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { collect } from './collect.ts';
import { makeSayChanged, makeVersions } from '../../lambdas/shared/versions/store.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.close());

type Configuration = Omit<MemoryConfiguration, 'set' | 'setOrganization'>;

type Client = DynamoDBDocumentClient;

const memory = memoryTables({ now: () => 0 });
const configurations: [string, (through?: (client: Client) => Client) => Configuration][] = [
  ['memory', (through) => over(memory, through)],
  ['DynamoDB', (through) => over(tables, through)],
];

/** A client whose first answer to a write is lost, so that it sends the same a second time. */
function twice(client: Client): Client {
  const send = async (command: PutCommand) => {
    if (command instanceof PutCommand) await client.send(command);
    return client.send(command);
  };
  return { send } as unknown as Client;
}

function over(
  { client: direct, config }: Pick<Tables, 'client' | 'config'>,
  through = (client: Client): Client => client,
): Configuration {
  const client = through(direct);
  return {
    organizations: makeOrganizationStore(client, config),
    endpoints: makeEndpointStore(client, config),
    readSubscribers: makeReadSubscribers(client, config),
    readRecipient: makeReadRecipient(makeBatchedRead(client, config)),
    versions: makeVersions(makeBatchedRead(client, config), Date.now),
    sayChanged: makeSayChanged(client, config),
  };
}

const later = '2026-11-02T00:00:00.000Z';
const latest = '2026-11-03T00:00:00.000Z';
let tests = 0;

describe.each(configurations)('the configuration in %s', (kind, open) => {
  let configuration: Configuration;
  let organizationId: string;
  beforeEach(() => {
    configuration = open();
    organizationId = `org_${kind}-${(tests += 1)}`;
  });
  const own = (given: Parameters<typeof anEndpoint>[0] = {}) => anEndpoint({ organizationId, ...given });

  test('gives back an organization and an endpoint as they were written', async () => {
    const organization = anOrganization({ id: organizationId, policy: { retry: { multiplier: 2.5 } } });
    const endpoint = own({ description: 'for the data team', policy: { timeoutSeconds: 3 } });
    await configuration.organizations.replace(undefined, organization);
    await configuration.endpoints.add(endpoint);
    expect(await configuration.organizations.get(organizationId)).toEqual(organization);
    expect(await configuration.endpoints.get(organizationId, endpoint.id)).toEqual(endpoint);
    expect(await configuration.readRecipient(organizationId, endpoint.id)).toEqual({
      organization,
      endpoint,
    });
  });

  test('finds an endpoint by its name, in its own organization only', async () => {
    const [one, two] = [own({ name: 'one' }), own({ name: 'two' })];
    await configuration.endpoints.add({ ...one, name: 'billing' });
    await configuration.endpoints.add({ ...two, name: 'audit' });
    await configuration.endpoints.add({
      ...anEndpoint({ organizationId: `${organizationId}-2` }),
      name: 'billing',
    });
    expect(await configuration.endpoints.idsNamed(organizationId, 'billing')).toEqual([one.id]);
    expect(await configuration.endpoints.idsNamed(organizationId, 'one')).toEqual([]);
  });

  describe('replaces an organization', () => {
    const ownAt = (updatedAt: string) => anOrganization({ id: organizationId, updatedAt });

    test('that is as it was read, and makes one that is new', async () => {
      const [before, after] = [ownAt(later), ownAt(latest)];
      expect(await configuration.organizations.replace(undefined, before)).toBe(true);
      expect(await configuration.organizations.replace(before, after)).toBe(true);
      expect(await configuration.organizations.get(organizationId)).toEqual(after);
    });

    test('also when the SDK writes a second time, because its first answer was lost', async () => {
      const { organizations } = open(twice);
      expect(await organizations.replace(undefined, ownAt(later))).toBe(true);
      expect(await organizations.replace(ownAt(later), ownAt(latest))).toBe(true);
    });

    test('once, when several write the very same at the same moment', async () => {
      const [before, after] = [ownAt(later), ownAt(latest)];
      const { replace } = configuration.organizations;
      const made = await Promise.all([1, 2, 3].map(() => replace(undefined, before)));
      expect(made.filter(Boolean)).toHaveLength(1);
      const changed = await Promise.all([1, 2, 3].map(() => replace(before, after)));
      expect(changed.filter(Boolean)).toHaveLength(1);
    });

    test('not, when somebody has been faster', async () => {
      const theirs = ownAt(later);
      await configuration.organizations.replace(undefined, theirs);
      expect(await configuration.organizations.replace(undefined, ownAt(latest))).toBe(false);
      expect(await configuration.organizations.replace(ownAt('2026-10-01'), ownAt(latest))).toBe(false);
      expect(await configuration.organizations.get(organizationId)).toEqual(theirs);
    });
  });

  test('lists all organizations in the order of their ids, each once, changed or not, and no endpoints', async () => {
    const ids = ['c', 'a', 'b', 'Z', 'a-1'].map((name) => `${organizationId}-${name}`);
    for (const id of ids) {
      const before = anOrganization({ id });
      await configuration.organizations.replace(undefined, before);
      await configuration.organizations.replace(before, { ...before, plan: 'free', updatedAt: later });
      await configuration.endpoints.add(anEndpoint({ organizationId: id }));
    }
    const all = await collect((query) => configuration.organizations.list(query));
    const own = all.filter(({ id }) => id.startsWith(`${organizationId}-`));
    expect(own).toEqual(ids.toSorted().map((id) => anOrganization({ id, plan: 'free', updatedAt: later })));
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted());
  });

  test('finds nothing where there is nothing', async () => {
    expect(await configuration.organizations.get(organizationId)).toBeUndefined();
    expect(await configuration.endpoints.get(organizationId, anEndpoint().id)).toBeUndefined();
    const nobody = { organization: undefined, endpoint: undefined };
    expect(await configuration.readRecipient(organizationId, anEndpoint().id)).toEqual(nobody);
    const none = { organization: undefined, endpoints: [] };
    expect(await configuration.readSubscribers(organizationId)).toEqual(none);
  });

  test('finds an endpoint only in its own organization (I14)', async () => {
    await configuration.endpoints.add(own());
    expect(await configuration.endpoints.get('org_other', anEndpoint().id)).toBeUndefined();
    expect((await configuration.readRecipient('org_other', anEndpoint().id)).endpoint).toBeUndefined();
  });

  test('adds no endpoint over one that is there', async () => {
    const endpoint = own();
    await configuration.endpoints.add(endpoint);
    await expect(configuration.endpoints.add(own({ url: 'https://x.example.com/' }))).rejects.toThrow();
    expect(await configuration.endpoints.get(organizationId, endpoint.id)).toEqual(endpoint);
  });

  describe('replaces an endpoint', () => {
    test('that is as it was read', async () => {
      const before = own({ description: 'old' });
      const { description: _description, ...after } = own({
        description: 'x',
        active: false,
        updatedAt: later,
      });
      await configuration.endpoints.add(before);
      expect(await configuration.endpoints.replace(before, after)).toBe(true);
      expect(await configuration.endpoints.get(organizationId, before.id)).toEqual(after);
      expect(_description).toBe('x');
    });

    test('also when the SDK writes a second time, because its first answer was lost', async () => {
      const { endpoints } = open(twice);
      const [before, after] = [own(), own({ active: false, updatedAt: later })];
      await configuration.endpoints.add(before);
      expect(await endpoints.replace(before, after)).toBe(true);
      expect(await endpoints.startRemoval(after)).toBe(true);
    });

    test('once, when several write the very same at the same moment', async () => {
      const [before, after] = [own(), own({ active: false, updatedAt: later })];
      await configuration.endpoints.add(before);
      const { replace } = configuration.endpoints;
      const changed = await Promise.all([1, 2, 3].map(() => replace(before, after)));
      expect(changed.filter(Boolean)).toHaveLength(1);
    });

    test('not, when somebody has changed it meanwhile', async () => {
      const before = own();
      const theirs = own({ active: false, updatedAt: later });
      await configuration.endpoints.add(before);
      await configuration.endpoints.replace(before, theirs);
      const ours = own({ url: 'https://ours.example.com/', updatedAt: latest });
      expect(await configuration.endpoints.replace(before, ours)).toBe(false);
      expect(await configuration.endpoints.get(organizationId, before.id)).toEqual(theirs);
    });

    test('not, when it was removed meanwhile: it does not come back', async () => {
      const before = own();
      await configuration.endpoints.add(before);
      await configuration.endpoints.remove(organizationId, before.id);
      expect(await configuration.endpoints.replace(before, own({ updatedAt: later }))).toBe(false);
      expect(await configuration.endpoints.get(organizationId, before.id)).toBeUndefined();
    });
  });

  test('gives nobody an endpoint whose removal has begun, but who removes it', async () => {
    const [before, kept] = [own({ name: 'one' }), own({ name: 'two' })];
    const { endpoints, readSubscribers, readRecipient } = configuration;
    await endpoints.add({ ...before, name: 'billing' });
    await endpoints.add(kept);
    const read = await endpoints.get(organizationId, before.id);
    expect(await endpoints.startRemoval({ ...before, name: 'billing' })).toBe(true);
    expect(await endpoints.get(organizationId, before.id)).toBeUndefined();
    expect(await endpoints.getToRemove(organizationId, before.id)).toEqual(read);
    expect(await collect((query) => endpoints.list(organizationId, query))).toEqual([kept]);
    expect(await endpoints.count(organizationId)).toBe(1);
    expect(await endpoints.idsNamed(organizationId, 'billing')).toEqual([]);
    const { organization } = { organization: undefined };
    expect(await readRecipient(organizationId, before.id)).toEqual({ organization, endpoint: undefined });
    expect(await readSubscribers(organizationId)).toEqual({
      organization,
      endpoints: [kept],
      leaving: [read],
    });
    // Who has read it before cannot bring it back.
    expect(await endpoints.replace(before, own({ name: 'one', updatedAt: later }))).toBe(false);
    expect(await endpoints.startRemoval({ ...before, name: 'billing' })).toBe(true);
  });

  test('removes an endpoint, and one that is gone without a complaint', async () => {
    await configuration.endpoints.add(own());
    await configuration.endpoints.remove(organizationId, anEndpoint().id);
    await configuration.endpoints.remove(organizationId, anEndpoint().id);
    expect(await configuration.endpoints.get(organizationId, anEndpoint().id)).toBeUndefined();
  });

  test('lists an organization’s endpoints in the order of their ids, each once, over all pages', async () => {
    const all = ['a', 'b', 'c', 'd', 'e']
      .map((name) => own({ name }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    await configuration.organizations.replace(undefined, anOrganization({ id: organizationId }));
    for (const endpoint of all.toReversed()) await configuration.endpoints.add(endpoint);
    await configuration.endpoints.add(anEndpoint({ organizationId: `${organizationId}-b` }));
    expect(await collect((query) => configuration.endpoints.list(organizationId, query))).toEqual(all);
  });

  test('gives an organization with all its endpoints, and nobody else’s', async () => {
    const organization = anOrganization({ id: organizationId });
    await configuration.organizations.replace(undefined, organization);
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
    for (const name of names) await configuration.endpoints.add(own({ name }));
    await configuration.endpoints.add(anEndpoint({ organizationId: `${organizationId}-b` }));
    const found = await configuration.readSubscribers(organizationId);
    expect(found.organization).toEqual(organization);
    expect(new Set(found.endpoints.map(({ id }) => id))).toEqual(
      new Set(names.map((name) => own({ name }).id)),
    );
  });

  test('gives endpoints whose organization is not known, without it', async () => {
    await configuration.endpoints.add(own());
    const found = await configuration.readSubscribers(organizationId);
    expect(found).toEqual({ organization: undefined, endpoints: [own()] });
  });
});

test('ten deliveries for ten endpoints of one organization cost one call of DynamoDB, which asks for it once', async () => {
  const organization = anOrganization({ id: 'org_ten' });
  const endpoints = Array.from({ length: 10 }, (_, index) =>
    anEndpoint({ organizationId: 'org_ten', name: `endpoint-${index}` }),
  );
  await makeOrganizationStore(tables.client, tables.config).replace(undefined, organization);
  for (const endpoint of endpoints) await makeEndpointStore(tables.client, tables.config).add(endpoint);
  const asked: BatchGetCommand['input'][] = [];
  const counting = {
    send: (command: BatchGetCommand) => {
      asked.push(command.input);
      return tables.client.send(command);
    },
  } as unknown as DynamoDBDocumentClient;
  const read = makeReadRecipient(makeBatchedRead(counting, tables.config));
  const readRecipient = cached((organizationId = '', id = '') => read(organizationId, id), isServed);
  const recipients = await Promise.all(endpoints.map(({ id }) => readRecipient('org_ten', id)));
  expect(recipients).toEqual(endpoints.map((endpoint) => ({ organization, endpoint })));
  expect(asked.map((input) => input.RequestItems?.[tables.config]?.Keys?.length)).toEqual([11]);
  expect(asked[0]?.RequestItems?.[tables.config]?.ConsistentRead).toBe(true);
});
