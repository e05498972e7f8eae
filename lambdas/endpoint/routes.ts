import { z } from 'zod';
import { catalogueOf, publishable } from '../event/catalogue.ts';
import type { Organization } from '../organization/organization.ts';
import { found } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { pageOf } from '../shared/page.ts';
import type { Page } from '../shared/page.ts';
import { noBody, noQuery, nothing, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { endpointChange, madeEndpoint, newEndpoint, show, shownEndpoint, warningsOf } from './endpoint.ts';
import { endpointListQuery } from './endpoint-list.ts';
import type { EndpointsQuery } from './endpoint-list.ts';
import { showHealth, shownHealth } from './health/health.ts';
import type { HealthStore } from './health/remembered.ts';
import { endWaiting, followSwitchingOn, resume } from './health/resume.ts';
import type { ResumePorts } from './health/resume.ts';
import type { Endpoint } from './endpoint.ts';
import { judgeAlone } from './judge.ts';
import { amend, register } from './register.ts';
import type { RegisterPorts } from './register.ts';
import { unregister } from './unregister.ts';

export interface EndpointRoutesPorts {
  readonly registration: RegisterPorts;
  readonly resumption: ResumePorts;
  readonly health: Pick<HealthStore, 'read'> & { readonly forget: (endpointId: string) => Promise<void> };
  readonly getOrganization: (id: string) => Promise<Organization | undefined>;
  readonly endpoints: {
    readonly get: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
    /** The same, also when its removal has begun, and was cut off. */
    readonly getToRemove: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
    readonly list: (organizationId: string, query: EndpointsQuery) => Promise<Page<Endpoint>>;
  };
}

const collection = '/v1/organizations/{organizationId}/endpoints';
const one = `${collection}/{endpointId}`;
const inCollection = z.strictObject({ organizationId });
const toOne = z.strictObject({ organizationId, endpointId });
const shownWithHealth = shownEndpoint.extend({ health: shownHealth }).meta({ id: 'Endpoint' });

/** The operations on endpoints. */
export function endpointRoutes(ports: EndpointRoutesPorts): Route[] {
  return [
    listRoute(ports),
    createRoute(ports),
    getRoute(ports),
    changeRoute(ports),
    resumeRoute(ports),
    removeRoute(ports),
  ];
}

async function withHealth({ health }: EndpointRoutesPorts, endpoint: Endpoint) {
  return { ...show(endpoint), health: showHealth(await health.read(endpoint.id)) };
}

/** What people have set: neither how the endpoint does, which changes by itself, nor its secret. */
function settingsOf(body: unknown): unknown {
  return shownEndpoint.parse(body);
}

function listRoute(ports: EndpointRoutesPorts): Route {
  return route({
    method: 'GET',
    path: collection,
    operationId: 'listEndpoints',
    summary: 'Endpoints of the organization, oldest first; a filtered page may be short, and have a next one',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: inCollection,
    query: endpointListQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(shownWithHealth) },
    handle: async ({ params, query: { active, type, ...paging } }) => {
      const { listEventTypes } = ports.registration.rules;
      const page = await ports.endpoints.list(params.organizationId, {
        ...paging,
        active: active === undefined ? undefined : active === 'true',
        wanting: type === undefined ? undefined : publishable(catalogueOf(await listEventTypes()), type),
      });
      return { ...page, data: await Promise.all(page.data.map((one) => withHealth(ports, one))) };
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
    rules: (sound) => judgeAlone(registration.rules, sound),
    answer: { status: 201, schema: madeEndpoint, location: `${collection}/{id}` },
    tagged: settingsOf,
    heedsIdempotencyKey: true,
    handle: async ({ params, body, audited }) => {
      const organization = await found(getOrganization(params.organizationId), 'organization');
      const { endpoint, secret } = await audited(
        undefined,
        () => register(registration, organization, body),
        (made) => show(made.endpoint),
      );
      return { ...show(endpoint), secret, ...warningsOf(endpoint) };
    },
  });
}

function getRoute(ports: EndpointRoutesPorts): Route {
  return route({
    method: 'GET',
    path: one,
    operationId: 'getEndpoint',
    summary: 'An endpoint and how it does, without its secret',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toOne,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shownWithHealth },
    tagged: settingsOf,
    handle: async ({ params: { organizationId, endpointId } }) =>
      withHealth(ports, await found(ports.endpoints.get(organizationId, endpointId), 'endpoint')),
  });
}

function changeRoute({ endpoints, registration, resumption, getOrganization }: EndpointRoutesPorts): Route {
  return route({
    method: 'PATCH',
    path: one,
    operationId: 'updateEndpoint',
    summary:
      'Change an endpoint; what is left out stays as it is, and null takes a field back to its default',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toOne,
    query: noQuery,
    body: endpointChange,
    rules: (sound) => judgeAlone(registration.rules, sound),
    answer: { status: 200, schema: shownEndpoint },
    tagged: settingsOf,
    heedsIfMatch: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const before = await found(endpoints.get(params.organizationId, params.endpointId), 'endpoint');
      mustMatch(show(before));
      const organization = await found(getOrganization(params.organizationId), 'organization');
      const after = await audited(
        show(before),
        () => amend(registration, { before, organization }, body),
        show,
      );
      if (body.active === true) await followSwitchingOn(resumption, after);
      if (body.active === false) await endWaiting(resumption, after);
      return show(after);
    },
  });
}

function resumeRoute(ports: EndpointRoutesPorts): Route {
  const { endpoints, health, registration, resumption, getOrganization } = ports;
  return route({
    method: 'POST',
    path: `${one}/resume`,
    operationId: 'resumeEndpoint',
    summary: 'Deliver again at once: end a pause, or switch on what was switched off, with a day of grace',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toOne,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shownWithHealth },
    tagged: settingsOf,
    heedsIfMatch: true,
    handle: async ({ params, mustMatch, audited }) => {
      const before = await found(endpoints.get(params.organizationId, params.endpointId), 'endpoint');
      mustMatch(show(before));
      const organization = await found(getOrganization(params.organizationId), 'organization');
      const switchOn = () => amend(registration, { before, organization }, { active: true });
      const after = before.active ? before : await audited(show(before), switchOn, show);
      const paused = showHealth(await health.read(after.id));
      // Once the endpoint has been switched on here, nobody is told that nothing was changed.
      const work = before.active ? resume : followSwitchingOn;
      const resumed = await audited(paused, () => work(resumption, after), showHealth);
      return { ...show(after), health: showHealth(resumed) };
    },
  });
}

function removeRoute({ endpoints, health, registration }: EndpointRoutesPorts): Route {
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
    heedsIfMatch: true,
    handle: async ({ params: { organizationId, endpointId }, mustMatch, audited }) => {
      const before = await found(endpoints.getToRemove(organizationId, endpointId), 'endpoint');
      mustMatch(show(before));
      await audited(show(before), () => unregister(registration, before, health.forget), nothing);
    },
  });
}
