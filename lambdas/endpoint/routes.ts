import { z } from 'zod';
import type { Organization } from '../organization/organization.ts';
import { found } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { endpointChange, newEndpoint, show, shownEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { amend, register, unregister } from './register.ts';
import type { RegisterPorts } from './register.ts';

export interface EndpointRoutesPorts {
  readonly registration: RegisterPorts;
  readonly getOrganization: (id: string) => Promise<Organization | undefined>;
  readonly endpoints: {
    readonly get: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
    readonly list: (organizationId: string, page: PageQuery) => Promise<Page<Endpoint>>;
  };
}

const collection = '/v1/organizations/{organizationId}/endpoints';
const one = `${collection}/{endpointId}`;
const inCollection = z.strictObject({ organizationId });
const toOne = z.strictObject({ organizationId, endpointId });
const shownWithSecret = shownEndpoint.extend({ secret: z.string() });

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
    answer: { status: 200, schema: pageOf(shownEndpoint) },
    handle: async ({ params, query }) => {
      const page = await endpoints.list(params.organizationId, query);
      return { ...page, data: page.data.map(show) };
    },
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
      return { ...show(endpoint), secret };
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
    answer: { status: 200, schema: shownEndpoint },
    handle: async ({ params }) =>
      show(await found(endpoints.get(params.organizationId, params.endpointId), 'endpoint')),
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
    answer: { status: 200, schema: shownEndpoint },
    handle: async ({ params, body }) => {
      const before = await found(endpoints.get(params.organizationId, params.endpointId), 'endpoint');
      const organization = await found(getOrganization(params.organizationId), 'organization');
      return show(await amend(registration, { before, organization }, body));
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
      const { organizationId, endpointId } = params;
      await unregister(registration, await found(endpoints.get(organizationId, endpointId), 'endpoint'));
    },
  });
}
