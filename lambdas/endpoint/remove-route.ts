import { z } from 'zod';
import { NotFound } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { noBody, noQuery, nothing, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { show } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { unregister } from './register.ts';
import type { RegisterPorts } from './register.ts';

interface RemoveRoutePorts {
  readonly registration: RegisterPorts;
  readonly health: { readonly forget: (endpointId: string) => Promise<void> };
  readonly endpoints: {
    readonly get: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
  };
}

/** The operation that removes an endpoint, and what is kept of it. */
export function removeRoute({ endpoints, health, registration }: RemoveRoutePorts): Route {
  return route({
    method: 'DELETE',
    path: '/v1/organizations/{organizationId}/endpoints/{endpointId}',
    operationId: 'deleteEndpoint',
    summary: 'Remove an endpoint; what still waits for it ends as discarded',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: z.strictObject({ organizationId, endpointId }),
    query: noQuery,
    body: noBody,
    answer: { status: 204, schema: undefined },
    heedsIfMatch: true,
    handle: async ({ params, mustMatch, audited }) => {
      const before = await endpoints.get(params.organizationId, params.endpointId);
      if (before === undefined) throw new NotFound('endpoint');
      mustMatch(show(before));
      await audited(show(before), () => unregister(registration, before, health.forget), nothing);
    },
  });
}
