import { z } from 'zod';
import { Conflict, found, InvalidRequest, NotFound, TooLarge } from '../shared/errors.ts';
import { pageOf } from '../shared/page.ts';
import { noBody, noParams, noQuery, nothing, route, itself } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { builtInEventTypes, catalogueOf } from './catalogue.ts';
import { category, eventType, eventTypeDefinition, eventTypeName } from './event-type.ts';
import type { EventType, EventTypeDefinition } from './event-type.ts';
import { refuseBrokenSchema } from './schema.ts';

export interface EventTypeRoutesPorts {
  readonly eventTypes: {
    readonly list: () => Promise<EventType[]>;
    readonly replace: (before: EventType | undefined, after: EventType) => Promise<boolean>;
    readonly remove: (name: string) => Promise<void>;
  };
  readonly now: Now;
}

/** All of them are read at once, by every function that routes: so they are bounded, each and together. */
const ownTypesMax = 500;
const definitionBytesMax = 64 * 1024;

const listQuery = z.strictObject({
  category: category.optional(),
  deprecated: z.enum(['true', 'false']).optional(),
  prefix: z.string().min(1).max(128).optional(),
});

/** The operations on the catalogue; what an operator adds applies to every organization. */
export function eventTypeRoutes(ports: EventTypeRoutesPorts): Route[] {
  return [listRoute(ports), getRoute(ports), putRoute(ports), removeRoute(ports)];
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

function getRoute({ eventTypes }: EventTypeRoutesPorts): Route {
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

function putRoute({ eventTypes, now }: EventTypeRoutesPorts): Route {
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
    tagged: (body) => body,
    heedsIfMatch: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      refuseBuiltIn(params.name);
      refuseLarge(body);
      refuseBrokenSchema(body);
      const own = await eventTypes.list();
      const before = own.find(({ name }) => name === params.name);
      mustMatch(before);
      if (before === undefined && own.length >= ownTypesMax) throw tooMany();
      refuseUnknownReplacement(own, body);
      const deprecated = deprecationOf(body, before, isoTime(now()));
      const type = { ...body, ...deprecated, name: params.name, isBuiltIn: false };
      return audited(before, () => write(eventTypes, before, type), itself);
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
    heedsIfMatch: true,
    handle: async ({ params, mustMatch, audited }) => {
      refuseBuiltIn(params.name);
      const before = (await eventTypes.list()).find(({ name }) => name === params.name);
      if (before === undefined) throw new NotFound('event type');
      mustMatch(before);
      await audited(before, () => eventTypes.remove(params.name), nothing);
    },
  });
}

async function write(
  eventTypes: EventTypeRoutesPorts['eventTypes'],
  before: EventType | undefined,
  after: EventType,
): Promise<EventType> {
  if (await eventTypes.replace(before, after)) return after;
  throw new Conflict('changed_meanwhile', 'Somebody else has just changed this event type: try again.');
}

/** Since when it is deprecated: as the operator says, else as it was said first. */
function deprecationOf(
  { deprecated }: EventTypeDefinition,
  before: EventType | undefined,
  at: string,
): Pick<EventType, 'deprecated'> {
  if (deprecated === undefined) return {};
  return { deprecated: { ...deprecated, since: deprecated.since ?? before?.deprecated?.since ?? at } };
}

function refuseUnknownReplacement(own: readonly EventType[], { deprecated }: EventTypeDefinition): void {
  const name = deprecated?.replacedBy;
  if (name === undefined || catalogueOf(own).has(name)) return;
  throw new InvalidRequest(
    'unknown_event_type',
    'There is no event type of this name to take its place.',
    'deprecated.replacedBy',
  );
}

function refuseLarge(definition: EventTypeDefinition): void {
  if (Buffer.byteLength(JSON.stringify(definition)) <= definitionBytesMax) return;
  throw new TooLarge(
    'event_type_too_large',
    'An event type may have 65536 bytes, schema and example included.',
  );
}

function tooMany(): Conflict {
  return new Conflict(
    'too_many_event_types',
    `There are ${String(ownTypesMax)} event types of your own, as many as there can be: remove one first.`,
  );
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
