import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import { isEntitled } from '../../lambdas/organization/organization.ts';
import type { Organization } from '../../lambdas/organization/organization.ts';
import { effectivePolicy } from '../../lambdas/organization/policy.ts';
import type { EffectivePolicy } from '../../lambdas/organization/policy.ts';
import type { Book } from './book.ts';
import { isSwift } from './weather.ts';
import type { Weather } from './weather.ts';

/**
 * What a function may still believe of the configuration, whatever happens: 30 s of cache, and the calls between a look
 * and what it leads to, each of which may take 9 s.
 */
export const staleMsMax = 60_000;

/** What the API has answered is heeded by whatever is posted or routed later than this, and half a second for its calls. */
const heededMsMax = 1_500;

/** How an endpoint was set up, in all the ways that anybody may still believe at a moment. */
export interface Beliefs {
  readonly endpoints: readonly (Endpoint | undefined)[];
  readonly organizations: readonly (Organization | undefined)[];
  readonly health: readonly Health[];
}

export function beliefsAt(book: Book, endpointId: string, nowMs: number): Beliefs {
  return beliefsSince(book, endpointId, { fromMs: nowMs - staleMsMax, nowMs });
}

/**
 * The same of whatever begins at this moment: by then all know what the API has answered (decision 30), unless a call of
 * theirs was slow. Health is no configuration.
 */
export function presentBeliefsAt(
  { book, weather }: { readonly book: Book; readonly weather: Weather },
  endpointId: string,
  nowMs: number,
): Beliefs {
  const all = beliefsAt(book, endpointId, nowMs);
  if (!isSwift(weather)) return all;
  const answeredMs = book.lastAnswerMs(ownerOf(book, endpointId), nowMs - heededMsMax);
  const fromMs = Math.max(nowMs - staleMsMax, answeredMs);
  return { ...beliefsSince(book, endpointId, { fromMs, nowMs }), health: all.health };
}

function beliefsSince(
  book: Book,
  endpointId: string,
  { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
): Beliefs {
  return {
    endpoints: book.endpoint(endpointId).between(fromMs, nowMs),
    organizations: book.organization(ownerOf(book, endpointId)).between(fromMs, nowMs),
    health: book.health(endpointId).between(fromMs, nowMs),
  };
}

/** The organization of an endpoint, whether it is still there or not. */
export function ownerOf(book: Book, endpointId: string): string {
  const all = book.endpoint(endpointId).all();
  return all.find((one) => one !== undefined)?.organizationId ?? '';
}

/** Whether anybody may believe that the endpoint gets deliveries. */
export function mayReceive({ endpoints, organizations, health }: Beliefs): boolean {
  return (
    endpoints.some((one) => one?.active === true) &&
    organizations.some((one) => one !== undefined && isEntitled(one)) &&
    health.some(({ off }) => off === undefined)
  );
}

/** The policies by which an attempt may be judged. */
export function policiesOf({ endpoints, organizations }: Beliefs): EffectivePolicy[] {
  return endpoints
    .filter((one) => one !== undefined)
    .flatMap((endpoint) => organizations.map((one) => effectivePolicy(endpoint.policy, one?.policy ?? {})));
}
