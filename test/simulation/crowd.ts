import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { Action } from './action.ts';
import { callApi } from './api.ts';
import { act } from './pick.ts';
import { publishOne } from './publish.ts';
import { answering, healthy } from './receivers.ts';
import { keep } from './setup.ts';
import { addressOf, crowdOrganizationId } from './names.ts';
import { recover } from './upkeep.ts';
import type { World } from './world.ts';

/** Very many events at once for one endpoint, and how it comes that they wait. */
export interface Crowd {
  readonly endpointId: string;
  /** It is held to a pace; or it fails, and comes back; or all are dead, and are recovered. */
  readonly kind: 'paced' | 'back' | 'recovered';
  /** What its policy allows. */
  readonly perSecond: number;
}

const organizationId = crowdOrganizationId;

/** Sets up an endpoint of its own, and has its events come. */
export async function drawCrowd(world: World): Promise<Crowd> {
  const { chance } = world;
  const { id: endpointId } = anEndpoint({ name: 'crowd', organizationId });
  const kind = chance.weigh<Crowd['kind']>([
    [4, 'paced'],
    [2, 'back'],
    [1, 'recovered'],
  ]);
  const crowd = { endpointId, kind, perSecond: kind === 'paced' ? chance.pick([0.2, 0.5, 2]) : 10_000 };
  await setUpCrowd(world, crowd);
  const count =
    kind === 'paced' ? Math.ceil(crowd.perSecond * 60 * chance.between(13, 16)) : chance.between(150, 300);
  later(world, 5_000, async () => {
    for (let left = count; left > 0; left -= 1)
      await publishOne(world, { organizationId, type: 'security.policy.changed' });
  });
  if (kind === 'paced') return crowd;
  later(world, 60_000 + chance.below(120_000), ({ receivers, time, paging }) => {
    receivers.get(endpointId)?.change(time.now(), healthy);
    if (kind !== 'recovered') return;
    paging.items = 100;
    callApi(world, {
      name: 'recovering the crowd',
      call: (ports) => recover(world, ports, { organizationId, endpointId, include: ['dead'] }),
    });
  });
  return crowd;
}

function later(world: World, ms: number, action: Action): void {
  world.underWay.add(action);
  world.time.later(ms, () => {
    world.underWay.delete(action);
    act(world, action);
  });
}

async function setUpCrowd(world: World, { endpointId, kind, perSecond }: Crowd): Promise<void> {
  const { time, stores, book } = world;
  const organization = anOrganization({ id: organizationId });
  book.organization(organizationId).change(time.now() - 600_000, organization);
  await stores.organizations.replace(undefined, organization);
  const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 120 };
  const endpoint: Endpoint = {
    ...anEndpoint({ name: 'crowd', organizationId }),
    ...{ url: addressOf(endpointId, 1), eventTypes: ['*'] },
    policy: {
      retry: { maximumAttempts: kind === 'recovered' ? 1 : 5, initialBackoffSeconds: 60, multiplier: 1 },
      circuitBreaker: kind === 'recovered' ? null : breaker,
      ...(kind === 'paced' ? { rateLimitPerSecond: perSecond } : {}),
    },
  };
  await keep(world, endpoint, kind === 'paced' ? healthy : answering(500));
}
