import { makeEventStore } from '../../lambdas/event/store.ts';
import { anEvent } from '../fakes/an-event.ts';
import { anAuthority } from '../lambdas/request/certificates.ts';
import type { Account } from './halves.ts';
import type { ApiAnswer, Tidings } from './tidings.ts';

export type Call = () => Promise<ApiAnswer>;

export interface Operation {
  readonly name: string;
  /** Makes what the operation needs; gives the operation. */
  readonly prepare: (world: World, organizationId: string) => Promise<Call> | Call;
  /** Cut off in the middle, it is ended by the same call: until then there may be a half. */
  readonly endsByRepeating?: true;
  /** Besides success: what the same call may be answered when the first one was carried out. */
  readonly thenAlso?: number;
  /** Queue to which it sends. */
  readonly sendsTo?: 'events' | 'retries' | 'recovery';
}

export interface World {
  readonly tidings: Tidings;
  readonly account: Account;
}

const url = 'https://localhost:8443/hooks';
const header = (value: string) => [{ name: 'x-api-key', value, secret: true }];
const pathOf = (organizationId: string) => `/v1/organizations/${organizationId}`;

const authority = await anAuthority();
const [first, second] = await Promise.all(
  ['one', 'two'].map(async (commonName) => {
    const { certificate, key } = await authority.issue({ commonName });
    return { certificate, privateKey: key };
  }),
);

/** The operations of the API that make or change something. */
export const operations: Operation[] = [
  { name: 'making an endpoint', prepare: make({ headers: header('first') }) },
  {
    name: 'making one under an Idempotency-Key',
    prepare: make({}, { 'idempotency-key': 'the-same-in-each-try' }),
    // The answer that was given could not be kept.
    thenAlso: 409,
  },
  { name: 'making one with the scheme jwt', prepare: make({ scheme: 'jwt' }) },
  { name: 'changing its scheme to jwt', prepare: onEndpoint('PATCH', '', { scheme: 'jwt' }) },
  { name: 'changing its secret header', prepare: onEndpoint('PATCH', '', { headers: header('second') }) },
  { name: 'rotating its secret', prepare: onEndpoint('POST', '/secret/rotate', { overlapSeconds: 0 }) },
  {
    name: 'giving it a client certificate',
    prepare: onEndpoint('PUT', '/client-certificate', first),
    endsByRepeating: true,
  },
  { name: 'giving it another one', prepare: onCertificate('PUT', second) },
  {
    name: 'taking it away',
    prepare: onCertificate('DELETE'),
    endsByRepeating: true,
    thenAlso: 404,
  },
  { name: 'removing the endpoint', prepare: removing, endsByRepeating: true, thenAlso: 404 },
  { name: 'rotating signing keys', prepare: rotatingKeys },
  {
    name: 'registering an organization',
    prepare: ({ tidings }, id) => put(tidings, pathOf(`${id}_new`), { plan: 'enterprise' }),
  },
  {
    name: 'changing its plan',
    prepare: ({ tidings }, id) => put(tidings, pathOf(id), { plan: 'team', addOns: ['webhooks'] }),
  },
  {
    name: 'changing its defaults',
    prepare:
      ({ tidings }, id) =>
      () =>
        tidings.call('PATCH', pathOf(id), { body: { policy: { rateLimitPerSecond: 5 } } }),
  },
  {
    name: 'adding an event type',
    prepare: ({ tidings }, id) => put(tidings, `/v1/event-types/own.${id}`, ownType),
  },
  {
    name: 'changing an event type',
    prepare: async ({ tidings }, id) => {
      await put(tidings, `/v1/event-types/own.${id}`, ownType)();
      return put(tidings, `/v1/event-types/own.${id}`, { ...ownType, description: 'Mine, changed.' });
    },
  },
  {
    name: 'importing event types',
    prepare: ({ tidings }, id) => {
      const $defs = Object.fromEntries(
        ['one', 'two'].map((name) => [`own.${id}.${name}`, { 'x-category': 'governance' }]),
      );
      return () => tidings.call('POST', '/v1/event-types/import', { body: { $defs } });
    },
  },
  { name: 'deleting an event type', prepare: deletingType, thenAlso: 404 },
  // What it removes is as of a removal.
  { name: 'importing a configuration', prepare: importing, endsByRepeating: true },
  { name: 'resuming an endpoint', prepare: resuming },
  // One is running when the first call was carried out.
  { name: 'recovering', prepare: recovering, thenAlso: 409, sendsTo: 'recovery' },
  { name: 'retrying a delivery', prepare: retrying, sendsTo: 'retries' },
  { name: 'publishing', prepare: publishing, sendsTo: 'events' },
];

const ownType = { category: 'governance', description: 'Mine.', example: {} };

function put(tidings: Tidings, path: string, body: object): Call {
  return () => tidings.call('PUT', path, { body });
}

function make(body: object, headers: Record<string, string> = {}): Operation['prepare'] {
  return ({ tidings }, id) =>
    () =>
      tidings.call('POST', `${pathOf(id)}/endpoints`, { body: { url, ...body }, headers });
}

async function anEndpointPath({ tidings }: World, organizationId: string): Promise<string> {
  const path = `${pathOf(organizationId)}/endpoints`;
  const { body } = await tidings.call('POST', path, { body: { url, headers: header('first') } });
  return `${path}/${body.id}`;
}

function onEndpoint(method: string, suffix = '', body?: object): Operation['prepare'] {
  return async (world, id) => {
    const path = await anEndpointPath(world, id);
    return () => world.tidings.call(method, path + suffix, { body });
  };
}

/** Of one of which there is health. */
async function removing(world: World, id: string): Promise<Call> {
  const path = await anEndpointPath(world, id);
  await world.tidings.call('POST', `${path}/resume`);
  return () => world.tidings.call('DELETE', path);
}

function onCertificate(method: string, body?: object): Operation['prepare'] {
  return async (world, id) => {
    const path = `${await anEndpointPath(world, id)}/client-certificate`;
    await world.tidings.call('PUT', path, { body: first });
    return () => world.tidings.call(method, path, { body });
  };
}

async function deletingType({ tidings }: World, id: string): Promise<Call> {
  const path = `/v1/event-types/own.${id}`;
  await put(tidings, path, ownType)();
  return () => tidings.call('DELETE', path);
}

/** One endpoint is made, one is changed, and one removed. */
async function importing(world: World, id: string): Promise<Call> {
  const changed = await anEndpointPath(world, id);
  await anEndpointPath(world, id);
  const endpoints = [
    { name: 'made', url, headers: header('first') },
    { id: changed.split('/').at(-1), url, headers: header('second') },
  ];
  const path = `${pathOf(id)}/import?prune=true`;
  return () => world.tidings.call('PUT', path, { body: { version: 1, endpoints } });
}

async function resuming(world: World, id: string): Promise<Call> {
  const path = await anEndpointPath(world, id);
  await world.tidings.call('PATCH', path, { body: { active: false } });
  return () => world.tidings.call('POST', `${path}/resume`);
}

async function rotatingKeys({ tidings }: World, id: string): Promise<Call> {
  const rotate = () => tidings.call('POST', `${pathOf(id)}/signing-keys/rotate`);
  await rotate();
  return rotate;
}

async function recovering(world: World, id: string): Promise<Call> {
  const path = await anEndpointPath(world, id);
  const body = { since: new Date(Date.now() - 3_600_000).toISOString(), include: ['dead'] };
  return () => world.tidings.call('POST', `${path}/recover`, { body });
}

async function retrying(world: World, organizationId: string): Promise<Call> {
  const { tidings, account } = world;
  const path = await anEndpointPath(world, organizationId);
  const endpoints = [path.split('/').at(-1) ?? ''];
  const event = anEvent({ organizationId, endpoints, timeMs: Date.now() });
  await makeEventStore(account.client, tidings.runtime.output('LedgerTable'), Date.now).add(event);
  return () => tidings.call('POST', `${path}/deliveries/${event.id}/retry`);
}

function publishing({ tidings }: World, id: string): Call {
  const body = { type: 'pipeline.run.failed', data: { runId: 77 } };
  return () => tidings.call('POST', `${pathOf(id)}/events`, { body });
}
