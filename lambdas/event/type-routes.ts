import { z } from 'zod';
import { Conflict, NotFound } from '../shared/errors.ts';
import { pageOf } from '../shared/page.ts';
import { noBody, noParams, noQuery, nothing, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { builtInEventTypes, catalogueOf } from './catalogue.ts';
import { eventType, eventTypeDefinition, eventTypeName } from './event-type.ts';
import type { EventType } from './event-type.ts';

export interface EventTypeRoutesPorts {
  readonly eventTypes: {
    readonly list: () => Promise<EventType[]>;
    readonly put: (type: EventType) => Promise<void>;
    readonly remove: (name: string) => Promise<void>;
  };
}

/** The operations on the catalogue; what an operator adds applies to every organization. */
export function eventTypeRoutes(ports: EventTypeRoutesPorts): Route[] {
  return [listRoute(ports), putRoute(ports), removeRoute(ports)];
}

function listRoute({ eventTypes }: EventTypeRoutesPorts): Route {
  return route({
    method: 'GET',
    path: '/v1/event-types',
    operationId: 'listEventTypes',
    summary: 'The catalogue of event types',
    scope: 'webhooks:read',
    entitlement: 'none',
    params: noParams,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(eventType) },
    handle: async () => {
      const all = [...catalogueOf(await eventTypes.list()).values()];
      return { data: all.toSorted((a, b) => a.name.localeCompare(b.name)), nextCursor: null };
    },
  });
}

function putRoute({ eventTypes }: EventTypeRoutesPorts): Route {
  return route({
    method: 'PUT',
    path: '/v1/event-types/{name}',
    operationId: 'putEventType',
    summary: 'Add or change an event type of your own',
    scope: 'webhooks:operate',
    entitlement: 'none',
    params: z.strictObject({ name: eventTypeName }),
    query: noQuery,
    body: eventTypeDefinition,
    answer: { status: 200, schema: eventType },
    handle: async ({ params, body, audited }) => {
      refuseBuiltIn(params.name);
      const type = { ...body, name: params.name, isBuiltIn: false };
      const before = (await eventTypes.list()).find(({ name }) => name === params.name);
      await audited(
        before,
        () => eventTypes.put(type),
        () => type,
      );
      return type;
    },
  });
}

function removeRoute({ eventTypes }: EventTypeRoutesPorts): Route {
  return route({
    method: 'DELETE',
    path: '/v1/event-types/{name}',
    operationId: 'deleteEventType',
    summary: 'Remove an event type of your own; events of it are refused from then on',
    scope: 'webhooks:operate',
    entitlement: 'none',
    params: z.strictObject({ name: eventTypeName }),
    query: noQuery,
    body: noBody,
    answer: { status: 204, schema: undefined },
    handle: async ({ params, audited }) => {
      refuseBuiltIn(params.name);
      const before = (await eventTypes.list()).find(({ name }) => name === params.name);
      if (before === undefined) throw new NotFound('event type');
      await audited(before, () => eventTypes.remove(params.name), nothing);
    },
  });
}

function refuseBuiltIn(name: string): void {
  if (builtInEventTypes.some((type) => type.name === name)) {
    throw new Conflict(
      'built_in_event_type',
      'This event type comes with Tidings and cannot be changed.',
      'name',
    );
  }
}
