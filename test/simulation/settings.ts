import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import { isEntitled } from '../../lambdas/organization/organization.ts';
import type { Organization } from '../../lambdas/organization/organization.ts';
import { effectivePolicy } from '../../lambdas/organization/policy.ts';
import type { EffectivePolicy } from '../../lambdas/organization/policy.ts';
import type { Book } from './book.ts';

/**
 * What a function may still believe of the configuration: 30 s of cache, and the calls between a look and what it leads
 * to, each of which may take 9 s.
 */
export const staleMsMax = 60_000;

/** How an endpoint was set up, in all the ways that anybody may still believe at a moment. */
export interface Beliefs {
  readonly endpoints: readonly (Endpoint | undefined)[];
  readonly organizations: readonly (Organization | undefined)[];
  readonly health: readonly Health[];
}

export function beliefsAt(book: Book, endpointId: string, nowMs: number): Beliefs {
  const fromMs = nowMs - staleMsMax;
  const past = book.endpoint(endpointId);
  const organizationId = past.all().find((one) => one !== undefined)?.organizationId ?? '';
  return {
    endpoints: past.between(fromMs, nowMs),
    organizations: book.organization(organizationId).between(fromMs, nowMs),
    health: book.health(endpointId).between(fromMs, nowMs),
  };
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
