import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { wants } from '../../../lambdas/endpoint/wants.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import { isEntitled } from '../../../lambdas/organization/organization.ts';
import { presentBeliefsAt } from '../settings.ts';
import type { World } from '../world.ts';
import type { Check, Checks } from './check.ts';

export interface EventFacts {
  readonly world: World;
  readonly event: StoredEvent;
}

/** An event is meant for all who, as far as anybody may know, wanted it; and for nobody who certainly did not. */
const meantForAll: Check<EventFacts> = ({ world, event }) => {
  const { book, time } = world;
  if (event.status !== 'accepted') return undefined;
  for (const endpointId of book.endpointIds) {
    const { endpoints, organizations, health } = presentBeliefsAt(world, endpointId, time.now());
    const served = endpoints.map(
      (one) => one?.organizationId === event.organizationId && one.active && isWanted(one, event),
    );
    const entitled = organizations.map((one) => one !== undefined && isEntitled(one));
    const on = health.map(({ off }) => off === undefined);
    const isMeant = event.endpoints.includes(endpointId);
    if (!isMeant && [...served, ...entitled, ...on].every(Boolean))
      return `${endpointId} wanted it, and is left out`;
    const mayBeMeant = [served, entitled, on].every((all) => all.some(Boolean));
    if (isMeant && !mayBeMeant) return `${endpointId} is to get it, and must not`;
  }
  return undefined;
};

export const ofEvent: Checks<EventFacts> = [['I1', meantForAll]];

export function isWanted(endpoint: Endpoint, { type, category }: StoredEvent): boolean {
  return category === undefined || wants(endpoint, { name: type, category });
}
