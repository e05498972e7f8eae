import { z } from 'zod';
import { allOf, found, NotFound } from '../shared/errors.ts';
import { flag } from '../shared/flag.ts';
import { pageOf } from '../shared/page.ts';
import { Made, noBody, noParams, noQuery, nothing, route, itself } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { isoTime } from '../shared/time.ts';
import { catalogueOf } from './catalogue.ts';
import { changeOf, ownAfter, refuseBuiltIn, refuseTooMany, refuseUnknownReplacement } from './define-type.ts';
import { documentTypeRoutes } from './document/document-routes.ts';
import { category, definedName, eventType, eventTypeDefinition, eventTypeName } from './event-type.ts';
import type { EventType } from './event-type.ts';
import { refuseBrokenSchema, refuseTakenSchemaId } from './refuse-schema.ts';
import { removeType, replaceType } from './replace-type.ts';
import type { EventTypePorts } from './replace-type.ts';

const listQuery = z.strictObject({
  category: category.describe('Only those of this category.').optional(),
  deprecated: flag.describe('Only those that will go away, or only the others.').optional(),
  prefix: z.string().min(1).max(128).describe('Only those whose names begin so.').optional(),
});

/** The operations on the catalogue; what an operator adds applies to every organization. */
export function eventTypeRoutes(ports: EventTypePorts): Route[] {
  return [
    listRoute(ports),
    ...documentTypeRoutes(ports),
    getRoute(ports),
    putRoute(ports),
    removeRoute(ports),
  ];
}

function listRoute({ eventTypes }: EventTypePorts): Route {
  return route({
    method: 'GET',
    path: '/v1/event-types',
    operationId: 'listEventTypes',
    summary: 'The catalogue of event types',
    scope: 'webhooks:read',
    entitlement: 'none',
    params: noParams,
    query: listQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(eventType) },
    handle: async ({ query }) => {
      const all = [...catalogueOf(await eventTypes.list()).values()].filter((type) =>
        isAskedFor(type, query),
      );
      return { data: all.toSorted((a, b) => a.name.localeCompare(b.name)), nextCursor: null };
    },
  });
}

function isAskedFor(type: EventType, { category, deprecated, prefix }: z.output<typeof listQuery>): boolean {
  if (category !== undefined && type.category !== category) return false;
  if (deprecated !== undefined && (type.deprecated !== undefined) !== (deprecated === 'true')) return false;
  return type.name.startsWith(prefix ?? '');
}

function getRoute({ eventTypes }: EventTypePorts): Route {
  return route({
    method: 'GET',
    path: '/v1/event-types/{name}',
    operationId: 'getEventType',
    summary: 'An event type: what it means, an example, its schema, whether it will go away',
    scope: 'webhooks:read',
    entitlement: 'none',
    params: z.strictObject({ name: eventTypeName }),
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: eventType },
    tagged: (body) => body,
    handle: async ({ params }) =>
      found(
        eventTypes.list().then((own) => catalogueOf(own).get(params.name)),
        'event type',
      ),
  });
}

function putRoute({ eventTypes, now }: EventTypePorts): Route {
  return route({
    method: 'PUT',
    path: '/v1/event-types/{name}',
    operationId: 'putEventType',
    summary: 'Add or change an event type of your own',
    scope: 'webhooks:operate',
    entitlement: 'none',
    params: z.strictObject({ name: definedName }),
    query: noQuery,
    body: eventTypeDefinition,
    rules: (sound) =>
      allOf(
        () => {
          refuseBrokenSchema(sound);
        },
        async () => {
          if (sound.deprecated !== undefined) refuseUnknownReplacement(await eventTypes.list(), sound);
        },
      ),
    answer: { status: 200, schema: eventType },
    tagged: (body) => body,
    heedsIfMatch: true,
    mayCreate: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const own = await eventTypes.list();
      const at = isoTime(now());
      const change = changeOf(own, { ...params, definition: body }, { at, known: [...own, params] });
      mustMatch(change.before);
      const after = ownAfter(own, [change]);
      refuseTooMany(after);
      refuseTakenSchemaId(after, change);
      const written = await audited(change.before, () => replaceType({ eventTypes }, change), itself);
      return change.before === undefined ? new Made(written) : written;
    },
  });
}

function removeRoute({ eventTypes }: EventTypePorts): Route {
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
    heedsIfMatch: true,
    handle: async ({ params, mustMatch, audited }) => {
      refuseBuiltIn(params.name);
      const before = (await eventTypes.list()).find(({ name }) => name === params.name);
      if (before === undefined) throw new NotFound('event type');
      mustMatch(before);
      await audited(before, () => removeType({ eventTypes }, before), nothing);
    },
  });
}
