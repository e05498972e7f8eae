import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { Policy } from '../../lambdas/organization/policy.ts';
import { ensureKey } from '../../lambdas/signing/rotate-keys.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import { secretOf } from '../fakes/secrets.ts';
import type { Chance } from './chance.ts';
import { History } from './history.ts';
import { drawBehaviour } from './receivers.ts';
import type { Behaviour } from './receivers.ts';
import { addressOf } from './names.ts';
import type { World } from './world.ts';

/** Long enough ago that everybody has seen it. */
const beforeMs = 600_000;

/** One organization, seldom two, with up to three endpoints. */
export async function setUp(world: World): Promise<void> {
  const { chance, time, stores, kms, book } = world;
  const sinceMs = time.now() - beforeMs;
  const organizationIds = chance.isLucky(0.15) ? ['org_1', 'org_2'] : ['org_1'];
  for (const id of organizationIds) {
    const organization = anOrganization({ id, policy: chance.isLucky(0.1) ? drawPolicy(world) : {} });
    book.organization(id).change(sinceMs, organization);
    await stores.organizations.replace(undefined, organization);
    await ensureKey({ keys: stores.keys, createKey: kms.createKey, now: () => sinceMs }, id);
  }
  const count = chance.weigh([
    [6, 1],
    [3, 2],
    [1, 3],
  ]);
  for (const name of ['one', 'two', 'three'].slice(0, count)) {
    const endpoint = drawEndpoint(world, name, chance.pick(organizationIds));
    await keep(world, endpoint, drawBehaviour(world));
  }
}

/** Has an endpoint be there, and for so long that everybody knows of it. */
export async function keep(world: World, endpoint: Endpoint, behaviour: Behaviour): Promise<void> {
  const { stores, book, time, secrets } = world;
  const { organizationId, id: endpointId } = endpoint;
  book.endpoint(endpointId).change(time.now() - beforeMs, endpoint);
  await stores.endpoints.add(endpoint);
  for (const version of endpoint.secretVersions) {
    const value = secretOf(version.id);
    book.secrets.set(version.id, value);
    await secrets.put({ organizationId, endpointId, part: 'signing' }, { id: version.id, value });
  }
  const value = 'Bearer whsec_of_the_owner';
  await secrets.put({ organizationId, endpointId, part: 'headers' }, { id: 'token', value });
  world.receivers.set(endpointId, new History(behaviour));
}

function drawEndpoint(world: World, name: string, organizationId: string): Endpoint {
  const { chance } = world;
  const endpoint = anEndpoint({ name, organizationId });
  return {
    ...endpoint,
    url: addressOf(endpoint.id, 1),
    active: !chance.isLucky(0.05),
    eventTypes: drawEventTypes(chance),
    scheme: drawScheme(chance),
    policy: drawPolicy(world),
    keepResponse: chance.isLucky(0.1),
    headers: chance.isLucky(0.1) ? [{ name: 'authorization', secret: true, versionId: 'token' }] : [],
  };
}

export function drawScheme(chance: Chance): Endpoint['scheme'] {
  return chance.isLucky(0.12) ? 'jwt' : 'hmac';
}

export function drawEventTypes(chance: Chance): string[] {
  return chance.weigh([
    [8, ['*']],
    [2, ['pipeline.*']],
    [1, ['pipeline.run.failed', 'security.*']],
    [0.5, []],
  ]);
}

/** Short schedules mostly: a wait of hours shows little that a wait of minutes does not. */
export function drawPolicy({ chance, isLong }: World): Policy {
  const retry = chance.weigh<NonNullable<Policy['retry']>>([
    [2, { maximumAttempts: 1 }],
    [3, { maximumAttempts: 2, initialBackoffSeconds: 1 }],
    [4, { maximumAttempts: 3, initialBackoffSeconds: 5, multiplier: 2 }],
    [4, { maximumAttempts: 5, initialBackoffSeconds: 2, multiplier: 3 }],
    [2, { maximumAttempts: 3, initialBackoffSeconds: 300, multiplier: 1 }],
    [2, { maximumAttempts: 4, initialBackoffSeconds: 60, multiplier: 2, maximumBackoffSeconds: 100 }],
    [isLong ? 6 : 0, { maximumAttempts: 3, initialBackoffSeconds: 7_200, multiplier: 1 }],
    [isLong ? 3 : 0, {}],
  ]);
  const quick = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 20, maximumPauseSeconds: 300 };
  const breaker = chance.weigh<Policy>([
    [2, { circuitBreaker: null }],
    [3, { circuitBreaker: quick }],
    [1, isLong ? {} : { circuitBreaker: { maximumPauseSeconds: 600 } }],
  ]);
  return {
    retry,
    timeoutSeconds: chance.pick([1, 5, 15, 30]),
    ...breaker,
    ...(chance.isLucky(0.1) ? { rateLimitPerSecond: chance.pick([0.05, 0.5, 2]) } : {}),
    ...(chance.isLucky(0.1) ? { disableAfterHours: chance.pick([1, null]) } : {}),
  };
}
