import { z } from 'zod';
import type { Organization } from '../organization/organization.ts';
import { Conflict, found } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { isoTime } from '../shared/time.ts';
import { endpoint, endpointChange, newEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { amend, register } from './register.ts';
import type { RegisterPorts } from './register.ts';

export interface EndpointRoutesPorts {
  readonly registration: RegisterPorts;
  readonly getOrganization: (id: string) => Promise<Organization | undefined>;
  readonly endpoints: {
    readonly get: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
    readonly list: (organizationId: string, page: PageQuery) => Promise<Page<Endpoint>>;
    readonly replace: (before: Endpoint, after: Endpoint) => Promise<boolean>;
    readonly remove: (organizationId: string, id: string) => Promise<void>;
  };
}

const collection = '/v1/organizations/{organizationId}/endpoints';
const one = `${collection}/{endpointId}`;
const inCollection = z.strictObject({ organizationId });
const toOne = z.strictObject({ organizationId, endpointId });
const shownWithSecret = endpoint.extend({ secret: z.string() });

/** The operations on endpoints. */
export function endpointRoutes(ports: EndpointRoutesPorts): Route[] {
  return [listRoute(ports), createRoute(ports), getRoute(ports), changeRoute(ports), removeRoute(ports)];
}

function listRoute({ endpoints }: EndpointRoutesPorts): Route {
  return route({
    method: 'GET',
    path: collection,
    operationId: 'listEndpoints',
    summary: 'Endpoints of the organization, oldest first',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: inCollection,
    query: pageQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(endpoint) },
    handle: ({ params, query }) => endpoints.list(params.organizationId, query),
  });
}

function createRoute({ registration, getOrganization }: EndpointRoutesPorts): Route {
  return route({
    method: 'POST',
    path: collection,
    operationId: 'createEndpoint',
    summary: 'Make an endpoint; its secret is shown in this answer and never again',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: inCollection,
    query: noQuery,
    body: newEndpoint,
    answer: { status: 201, schema: shownWithSecret },
    handle: async ({ params, body }) => {
      const organization = await found(getOrganization(params.organizationId), 'organization');
      const { endpoint, secret } = await register(registration, organization, body);
      return { ...endpoint, secret };
    },
  });
}

function getRoute({ endpoints }: EndpointRoutesPorts): Route {
  return route({
    method: 'GET',
    path: one,
    operationId: 'getEndpoint',
    summary: 'An endpoint, without its secret',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toOne,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: endpoint },
    handle: ({ params }) => found(endpoints.get(params.organizationId, params.endpointId), 'endpoint'),
  });
}

function changeRoute({ endpoints, registration, getOrganization }: EndpointRoutesPorts): Route {
  return route({
    method: 'PATCH',
    path: one,
    operationId: 'updateEndpoint',
    summary: 'Change an endpoint; what is left out stays as it is',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toOne,
    query: noQuery,
    body: endpointChange,
    answer: { status: 200, schema: endpoint },
    handle: async ({ params, body }) => {
      const before = await found(endpoints.get(params.organizationId, params.endpointId), 'endpoint');
      const organization = await found(getOrganization(params.organizationId), 'organization');
      const at = isoTime(registration.now());
      const after = await amend(registration.rules, { before, organization }, { change: body, at });
      if (!(await endpoints.replace(before, after))) {
        throw new Conflict(
          'changed_meanwhile',
          'Somebody else has just changed this endpoint: read it again.',
        );
      }
      return after;
    },
  });
}

function removeRoute({ endpoints, registration }: EndpointRoutesPorts): Route {
  return route({
    method: 'DELETE',
    path: one,
    operationId: 'deleteEndpoint',
    summary: 'Remove an endpoint; what still waits for it ends as discarded',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toOne,
    query: noQuery,
    body: noBody,
    answer: { status: 204, schema: undefined },
    handle: async ({ params }) => {
      const { organizationId, id } = await found(
        endpoints.get(params.organizationId, params.endpointId),
        'endpoint',
      );
      // The endpoint first: one without its secret could not be signed for, a secret without endpoint harms nobody.
      await endpoints.remove(organizationId, id);
      await registration.secrets.remove({ organizationId, endpointId: id });
    },
  });
}
