import { z } from 'zod';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Health } from '../endpoint/health/health.ts';
import { eventTypeName } from '../event/event-type.ts';
import { skipped } from '../event/event.ts';
import type { StoredEvent } from '../event/event.ts';
import { eventSummary, summaryOf } from '../event/routes.ts';
import { Conflict, found, NotFound } from '../shared/errors.ts';
import { endpointId, eventId, organizationId } from '../shared/identifier.ts';
import { isInOrder, openSpan, outOfOrder } from '../shared/open-span.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import type { Page } from '../shared/page.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { againMessage } from './again.ts';
import { delivery, deliverySummary, isParked, shownStatus, showStatus } from './delivery.ts';
import type { DeliveriesQuery, Delivery, DeliverySummary } from './delivery.ts';
import type { DeliveryMessage } from './message.ts';

export interface DeliveryRoutesPorts {
  readonly getEndpoint: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
  readonly readHealth: (endpointId: string) => Promise<Health>;
  readonly getEvent: (organizationId: string, id: string) => Promise<StoredEvent | undefined>;
  readonly deliveries: {
    readonly get: (endpointId: string, eventId: string) => Promise<Delivery | undefined>;
    readonly ofEvent: (event: StoredEvent) => Promise<Delivery[]>;
    readonly ofEndpoint: (endpointId: string, query: DeliveriesQuery) => Promise<Page<Delivery>>;
    readonly withStatus: (
      organizationId: string,
      status: 'dead',
      query: DeliveriesQuery,
    ) => Promise<Page<DeliverySummary>>;
  };
  readonly send: (message: DeliveryMessage) => Promise<void>;
}

const toEvent = z.strictObject({ organizationId, eventId });
const toEndpoint = z.strictObject({ organizationId, endpointId });
const toDelivery = z.strictObject({ organizationId, endpointId, eventId });
const endpointPath = '/v1/organizations/{organizationId}/endpoints/{endpointId}';
const deliveryPath = `${endpointPath}/deliveries/{eventId}`;
const listQuery = pageQuery
  .extend({ status: shownStatus.optional(), type: eventTypeName.optional(), ...openSpan })
  .refine(isInOrder, outOfOrder);
const deadLettersQuery = pageQuery
  .extend({ endpointId: endpointId.optional(), type: eventTypeName.optional(), ...openSpan })
  .refine(isInOrder, outOfOrder);

/** How it waits is told in a caller's words. */
const inner = { expiresAt: true, waiting: true, waitingAt: true, trigger: true } as const;
const outer = {
  status: shownStatus,
  /** It waits until its endpoint may receive: it is paused, above its pace or its share, or others wait before it. */
  waitsForEndpoint: z.literal(true).exactOptional(),
};

/** A delivery without its attempts, as lists show it. */
const shownSummary = deliverySummary.omit(inner).extend(outer);
const shownDelivery = delivery.omit({ ...inner, roundStart: true, owes: true }).extend(outer);

/** What is shown of a delivery beside what is stored. */
function seen<One extends DeliverySummary>(one: One) {
  return { ...one, status: showStatus(one), ...(isParked(one) ? { waitsForEndpoint: true } : {}) };
}

/** Of an event that has just been routed the message is still on its way: `queued`. */
const eventReport = eventSummary.extend({
  deliveries: z.array(
    z.strictObject({
      endpointId: z.string(),
      status: shownStatus,
      reason: z.string().optional(),
      attemptCount: z.number(),
      lastError: z.string().optional(),
      nextAttemptAt: z.string().optional(),
    }),
  ),
  skipped: z.array(skipped),
});

/** The operations on deliveries, and on an event as the sum of its deliveries. */
export function deliveryRoutes(ports: DeliveryRoutesPorts): Route[] {
  return [explainRoute(ports), listRoute(ports), getRoute(ports), retryRoute(ports), deadLettersRoute(ports)];
}

function explainRoute({ getEvent, deliveries }: DeliveryRoutesPorts): Route {
  return route({
    method: 'GET',
    path: '/v1/organizations/{organizationId}/events/{eventId}',
    operationId: 'getEvent',
    summary: 'An event: who got it, who did not, and why',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toEvent,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: eventReport },
    handle: async ({ params }) => {
      const event = await found(getEvent(params.organizationId, params.eventId), 'event');
      return report(event, await deliveries.ofEvent(event));
    },
  });
}

/** Puts together what is known of every endpoint that wanted the event. */
export function report(event: StoredEvent, made: readonly Delivery[]): z.output<typeof eventReport> {
  const known = new Map(made.map((delivery) => [delivery.endpointId, delivery]));
  // An endpoint that was skipped and served later, by hand, is among the deliveries.
  const ids = new Set([...event.endpoints, ...known.keys()]);
  return {
    ...summaryOf(event),
    deliveries: [...ids].map((endpointId) => {
      const delivery = known.get(endpointId);
      return {
        endpointId,
        status: delivery === undefined ? 'queued' : showStatus(delivery),
        reason: delivery?.reason,
        attemptCount: delivery?.attemptCount ?? 0,
        lastError: delivery?.lastError,
        nextAttemptAt: delivery?.nextAttemptAt,
      };
    }),
    skipped: event.skipped.filter(({ endpointId }) => !known.has(endpointId)),
  };
}

function listRoute({ getEndpoint, deliveries }: DeliveryRoutesPorts): Route {
  return route({
    method: 'GET',
    path: `${endpointPath}/deliveries`,
    operationId: 'listDeliveries',
    summary:
      'Deliveries of an endpoint, newest event first; a filtered page may be short, and have a next one',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toEndpoint,
    query: listQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(shownDelivery) },
    handle: async ({ params, query }) => {
      const { id } = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      const page = await deliveries.ofEndpoint(id, query);
      return { ...page, data: page.data.map((one) => shownDelivery.parse(seen(one))) };
    },
  });
}

function getRoute({ getEndpoint, deliveries }: DeliveryRoutesPorts): Route {
  return route({
    method: 'GET',
    path: deliveryPath,
    operationId: 'getDelivery',
    summary: 'A delivery with its latest attempts',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toDelivery,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shownDelivery },
    handle: async ({ params }) => {
      const { id } = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      return shownDelivery.parse(seen(await found(deliveries.get(id, params.eventId), 'delivery')));
    },
  });
}

function retryRoute({ getEndpoint, readHealth, getEvent, deliveries, send }: DeliveryRoutesPorts): Route {
  return route({
    method: 'POST',
    path: `${deliveryPath}/retry`,
    operationId: 'retryDelivery',
    summary: 'Deliver once more, now and with a fresh budget of attempts, whatever became of it before',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toDelivery,
    query: noQuery,
    body: noBody,
    answer: {
      status: 202,
      schema: z.strictObject({ endpointId: z.string(), eventId: z.string() }),
      location: deliveryPath,
    },
    heedsIdempotencyKey: true,
    leavesConfiguration: true,
    handle: async ({ params, audited }) => {
      const endpoint = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      const event = await found(getEvent(params.organizationId, params.eventId), 'event');
      const wasWanted = [...event.endpoints, ...event.skipped.map((skip) => skip.endpointId)];
      if (!wasWanted.includes(endpoint.id)) throw new NotFound('delivery');
      if (!endpoint.active || (await readHealth(endpoint.id)).off !== undefined) {
        throw new Conflict('endpoint_disabled', 'Switch the endpoint on first: it receives nothing now.');
      }
      const before = await deliveries.get(endpoint.id, event.id);
      const message = againMessage({ ...params, eventType: event.type }, before);
      const shown = () => ({ round: message.round, attempt: message.attempt });
      await audited(before && shownSummary.parse(seen(before)), () => send(message), shown);
      return { endpointId: endpoint.id, eventId: event.id };
    },
  });
}

function deadLettersRoute({ deliveries }: DeliveryRoutesPorts): Route {
  return route({
    method: 'GET',
    path: '/v1/organizations/{organizationId}/dead-letters',
    operationId: 'listDeadLetters',
    summary: 'Dead deliveries of the organization, newest event first; a filtered page may be short',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: z.strictObject({ organizationId }),
    query: deadLettersQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(shownSummary) },
    handle: async ({ params, query }) => {
      const page = await deliveries.withStatus(params.organizationId, 'dead', query);
      return { ...page, data: page.data.map((one) => shownSummary.parse(seen(one))) };
    },
  });
}
