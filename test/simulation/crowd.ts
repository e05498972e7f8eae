import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import type { Action } from './action.ts';
import { act } from './pick.ts';
import { publishOne } from './publish.ts';
import { answering, healthy } from './receivers.ts';
import { keep } from './setup.ts';
import { addressOf } from './names.ts';
import type { World } from './world.ts';

/** Very many events at once for one endpoint, which is held to a pace, or comes back after it has failed. */
export interface Crowd {
  readonly endpointId: string;
  /** What its policy allows; nothing for the growing pace of an endpoint that comes back. */
  readonly perSecond: number | undefined;
}

const organizationId = 'org_crowd';

/** Sets up an endpoint of its own, and has its events come. */
export async function drawCrowd(world: World): Promise<Crowd> {
  const { chance, time, stores, book } = world;
  const organization = anOrganization({ id: organizationId });
  book.organization(organizationId).change(time.now() - 600_000, organization);
  await stores.organizations.replace(undefined, organization);
  const [perSecond] = chance.pick<readonly number[]>([[], [0.1], [0.2], [0.5]]);
  const { id: endpointId, ...settings } = anEndpoint({ name: 'crowd', organizationId });
  const endpoint = {
    ...{ ...settings, id: endpointId, url: addressOf(endpointId, 1), eventTypes: ['*'] },
    policy: {
      retry: { maximumAttempts: 5, initialBackoffSeconds: 60, multiplier: 1 },
      circuitBreaker: { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 120 },
      ...(perSecond === undefined ? {} : { rateLimitPerSecond: perSecond }),
    },
  };
  await keep(world, endpoint, perSecond === undefined ? answering(500) : healthy);
  const count =
    perSecond === undefined ? chance.between(100, 300) : Math.ceil(perSecond * 60 * chance.between(13, 16));
  const everybody: Action = async () => {
    for (let left = count; left > 0; left -= 1)
      await publishOne(world, { organizationId, type: 'security.policy.changed' });
  };
  const later = (ms: number, action: Action) => {
    world.underWay.add(action);
    time.later(ms, () => {
      world.underWay.delete(action);
      act(world, action);
    });
  };
  later(5_000, everybody);
  if (perSecond === undefined)
    later(60_000 + chance.below(120_000), () => {
      world.receivers.get(endpointId)?.change(time.now(), healthy);
    });
  return { endpointId, perSecond };
}
