import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Known } from '../../lambdas/delivery/decide.ts';
import { deliverySummary, isAskedFor } from '../../lambdas/delivery/delivery.ts';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import type { DeliveryMessage } from '../../lambdas/delivery/message.ts';
import type { makeDeliveryReader } from '../../lambdas/delivery/store.ts';
import { eventIdsBetween } from '../../lambdas/event/event-id.ts';
import { eventIdsOf, isAskedFor as isEventAskedFor } from '../../lambdas/event/event-list.ts';
import { eventSummary } from '../../lambdas/event/event.ts';
import type { StoredEvent } from '../../lambdas/event/event.ts';
import type { makeEventStore } from '../../lambdas/event/store.ts';
import { endpointId, eventId } from '../../lambdas/shared/identifier.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { kept } from './kept.ts';
import { pageOf } from './page.ts';
import type { Listing } from './page.ts';
import { soon } from './soon.ts';

export interface MemoryLedger {
  readonly events: ReturnType<typeof makeEventStore>;
  readonly deliveries: ReturnType<typeof makeDeliveryReader>;
  readonly record: (after: Delivery) => Promise<'recorded' | 'superseded'>;
  readonly readKnown: (message: DeliveryMessage) => Promise<Known>;
  /** Removes a delivery, as nobody but a test and a hand in the console may. */
  readonly removeByHand: (endpointId: string, eventId: string) => void;
}

/** The table `ledger` in memory. As in DynamoDB, what has expired is still there, and every read hides it. */
export function memoryLedger(now: Now): MemoryLedger {
  const events = new Map<string, StoredEvent>();
  const deliveries = new Map<string, Delivery>();
  const isAlive = ({ expiresAt }: { expiresAt: number }) => expiresAt * 1000 > now();
  const alive = <Item extends { expiresAt: number }>(item: Item | undefined) =>
    item !== undefined && isAlive(item) ? item : undefined;
  const deliveryOf = (endpointId: string, eventId: string) =>
    alive(deliveries.get(`${endpointId} ${eventId}`));
  const eventOf = (organizationId: string, id: string) => alive(events.get(`${organizationId} ${id}`));
  return {
    events: eventsOf(events, isAlive),
    deliveries: {
      get: (endpointId, eventId) => Promise.resolve(deliveryOf(endpointId, eventId)),
      ...listsOf(deliveries, isAlive),
    },
    readKnown: ({ organizationId, endpointId, eventId }) =>
      Promise.resolve({
        delivery: deliveryOf(endpointId, eventId),
        event: eventOf(organizationId, eventId),
      }),
    record: (after) => {
      const key = `${after.endpointId} ${after.eventId}`;
      const before = deliveries.get(key);
      // The SDK may repeat a write whose answer was lost: the very same outcome is no other one.
      if (before?.updatedAt === after.updatedAt && isDeepStrictEqual(before, after))
        return Promise.resolve('recorded');
      if (before !== undefined && !mayFollow(before, after)) return Promise.resolve('superseded');
      deliveries.set(key, kept(after));
      return Promise.resolve('recorded');
    },
    removeByHand: (endpointId, eventId) => {
      deliveries.delete(`${endpointId} ${eventId}`);
    },
  };
}

/** The ledger's condition: the next attempt, or none any more, of a later round or of one that is still running. */
function mayFollow(before: Delivery, after: Delivery): boolean {
  if (before.attemptCount >= after.attemptCount && after.status !== 'discarded') return false;
  return before.round < after.round || (before.round === after.round && before.status === 'retrying');
}

type IsAlive = (item: { expiresAt: number }) => boolean;

function eventsOf(events: Map<string, StoredEvent>, isAlive: IsAlive): MemoryLedger['events'] {
  const newestFirst: Listing<StoredEvent> = {
    order: 'descending',
    position: z.tuple([eventId]),
    placeOf: ({ id }) => [id],
  };
  return {
    add: (event) => {
      const key = `${event.organizationId} ${event.id}`;
      const before = events.get(key);
      if (before !== undefined && isAlive(before)) return Promise.resolve(before);
      events.set(key, kept(event));
      return Promise.resolve(undefined);
    },
    get: (organizationId, id) => {
      const event = events.get(`${organizationId} ${id}`);
      return Promise.resolve(event !== undefined && isAlive(event) ? event : undefined);
    },
    list: (organizationId, query) =>
      soon(() => {
        const [least, greatest] = eventIdsOf(query);
        const own = [...events.values()]
          .filter((event) => event.organizationId === organizationId)
          .filter(({ id }) => id >= least && id <= greatest)
          .filter(({ status }) => query.status !== 'refused' || status === 'refused');
        const page = pageOf(own, query, newestFirst);
        const shown = page.data.filter(isAlive).filter((event) => isEventAskedFor(query, event));
        return { ...page, data: structuredClone(shown) };
      }),
    between: (organizationId, { since, until }, query) =>
      soon(() => {
        const [least, greatest] = eventIdsBetween(Date.parse(since), Date.parse(until));
        const own = [...events.values()]
          .filter((event) => event.organizationId === organizationId)
          .filter(({ id }) => id >= least && id <= greatest);
        const page = pageOf(own, query, { ...newestFirst, order: 'ascending' });
        return { ...page, data: page.data.filter(isAlive).map((event) => eventSummary.parse(event)) };
      }),
  };
}

const byEvent: Listing<Delivery> = {
  order: 'descending',
  position: z.tuple([eventId]),
  placeOf: (delivery) => [delivery.eventId],
};

const byEventAndEndpoint: Listing<Delivery> = {
  order: 'descending',
  position: z.tuple([eventId, endpointId]),
  placeOf: (delivery) => [delivery.eventId, delivery.endpointId],
};

function listsOf(
  deliveries: Map<string, Delivery>,
  isAlive: IsAlive,
): Omit<MemoryLedger['deliveries'], 'get'> {
  return {
    ofEvent: ({ id, endpoints, skipped }) => {
      const ids = [...endpoints, ...skipped.map((skip) => skip.endpointId)];
      const found = ids.flatMap((endpointId) => deliveries.get(`${endpointId} ${id}`) ?? []);
      return Promise.resolve(structuredClone(found.filter(isAlive)));
    },
    ofEndpoint: (endpointId, query) =>
      soon(() => {
        const [least, greatest] = eventIdsOf(query);
        const own = [...deliveries.values()].filter(
          (delivery) =>
            delivery.endpointId === endpointId && delivery.eventId >= least && delivery.eventId <= greatest,
        );
        const page = pageOf(own, query, byEvent);
        const shown = page.data.filter(isAlive).filter((one) => isAskedFor(query, one));
        return { ...page, data: structuredClone(shown) };
      }),
    withStatus: (organizationId, status, query) =>
      soon(() => {
        const [least, greatest] = eventIdsOf(query);
        const own = [...deliveries.values()]
          .filter((delivery) => delivery.organizationId === organizationId && delivery.status === status)
          .filter(({ eventId }) => eventId >= least && eventId <= greatest);
        const page = pageOf(own, query, byEventAndEndpoint);
        const shown = page.data.filter(isAlive).filter((one) => isAskedFor(query, one));
        return { ...page, data: shown.map((one) => deliverySummary.parse(one)) };
      }),
  };
}
