import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isoTime } from '../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../fakes/a-delivery.ts';
import { aMessage } from '../fakes/a-message.ts';
import { anEvent } from '../fakes/an-event.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../fakes/ids.ts';
import { memoryLedger } from '../fakes/ledger.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { collect } from './collect.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

const pastRetentionMs = 31 * 86_400_000;

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

describe.each(kinds)('the ledger in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let ledger: MemoryLedger;
  /** Of this test alone. */
  let ids: { organizationId: string; endpointId: string; eventId: string };
  beforeEach(() => {
    clock = aClock();
    ledger = memoryLedger(clock.now, tables);
    const name = `${kind}-${(tests += 1)}`;
    ids = { organizationId: `org_${name}`, endpointId: endpointIdOf(name), eventId: eventIdOf(name) };
  });
  const found = () => ledger.deliveries.get(ids.endpointId, ids.eventId);

  describe('knows of a message', () => {
    test('nothing, when nothing was stored', async () => {
      expect(await ledger.readKnown(aMessage(ids))).toEqual({ delivery: undefined, event: undefined });
    });

    test('its delivery and its event', async () => {
      const [delivery, event] = [
        aDelivery(ids),
        anEvent({ organizationId: ids.organizationId, id: ids.eventId }),
      ];
      await ledger.record(delivery);
      await ledger.events.add(event);
      expect(await ledger.readKnown(aMessage(ids))).toEqual({ delivery, event });
    });

    test('no event of another organization', async () => {
      await ledger.events.add(anEvent({ organizationId: ids.organizationId, id: ids.eventId }));
      const known = await ledger.readKnown(aMessage({ ...ids, organizationId: 'org_other' }));
      expect(known.event).toBeUndefined();
    });

    test('nothing that is past its time, though it may still be stored', async () => {
      await ledger.record(aDelivery(ids));
      await ledger.events.add(anEvent({ organizationId: ids.organizationId, id: ids.eventId }));
      clock.pass(pastRetentionMs);
      expect(await ledger.readKnown(aMessage(ids))).toEqual({ delivery: undefined, event: undefined });
    });
  });

  describe('lists', () => {
    const hourMs = 3_600_000;
    /** Deliveries of events an hour apart, oldest first. */
    const several = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        aDelivery({ ...ids, eventId: eventIdOf(`event-${index}`, testStartMs + index * hourMs) }),
      );
    const ofEndpoint = (more: object = {}) =>
      collect((query) => ledger.deliveries.ofEndpoint(ids.endpointId, { ...query, ...more }));

    test('an endpoint’s deliveries, newest event first, each once', async () => {
      const all = several(5);
      for (const one of all) await ledger.record(one);
      await ledger.record(
        aDelivery({ ...ids, endpointId: endpointIdOf('another'), eventId: eventIdOf('x') }),
      );
      expect(await ofEndpoint()).toEqual(all.toReversed());
    });

    test('an endpoint’s deliveries of a status', async () => {
      const [first, second, third] = several(3);
      if (first === undefined || second === undefined || third === undefined) throw new Error('three');
      await ledger.record(first);
      await ledger.record({ ...aDead(ids), eventId: second.eventId });
      await ledger.record(third);
      expect(await ofEndpoint({ status: 'retrying' })).toEqual([third, first]);
      expect((await ofEndpoint({ status: 'dead' })).map(({ eventId }) => eventId)).toEqual([second.eventId]);
      expect(await ofEndpoint({ status: 'delivered' })).toEqual([]);
    });

    test('an endpoint’s deliveries of events since a moment, that moment included', async () => {
      const all = several(4);
      for (const one of all) await ledger.record(one);
      const since = isoTime(testStartMs + 2 * hourMs);
      expect(await ofEndpoint({ since })).toEqual(all.slice(2).toReversed());
      expect(await ofEndpoint({ since: '1969-01-01T00:00:00Z' })).toHaveLength(4);
      expect(await ofEndpoint({ since: isoTime(testStartMs + 99 * hourMs) })).toEqual([]);
    });

    test('an endpoint’s deliveries of events until a moment, and of a type', async () => {
      const [first, second, third] = several(3);
      if (first === undefined || second === undefined || third === undefined) throw new Error('three');
      const other = { ...second, eventType: 'governance.contract.violated' };
      for (const one of [first, other, third]) await ledger.record(one);
      expect(await ofEndpoint({ until: isoTime(testStartMs + hourMs) })).toEqual([other, first]);
      expect(await ofEndpoint({ type: other.eventType })).toEqual([other]);
    });

    test('an organization’s dead deliveries of an endpoint, of a type and of a stretch of time', async () => {
      const [first, second, third] = several(3).map(({ eventId }) => ({ ...aDead(ids), eventId }));
      if (first === undefined || second === undefined || third === undefined) throw new Error('three');
      const other = { ...second, eventType: 'governance.contract.violated' };
      const foreign = { ...third, endpointId: endpointIdOf('another') };
      for (const one of [first, other, foreign]) await ledger.record(one);
      const dead = async (more: object) => {
        const list = collect((query) =>
          ledger.deliveries.withStatus(ids.organizationId, 'dead', { ...query, ...more }),
        );
        return (await list).map(({ eventId }) => eventId);
      };
      expect(await dead({ endpointId: ids.endpointId })).toEqual([other.eventId, first.eventId]);
      expect(await dead({ type: other.eventType })).toEqual([other.eventId]);
      expect(await dead({ since: isoTime(testStartMs + hourMs) })).toEqual([third.eventId, other.eventId]);
      expect(await dead({ until: isoTime(testStartMs) })).toEqual([first.eventId]);
    });

    test('nothing for an endpoint without deliveries', async () => {
      expect(await ofEndpoint()).toEqual([]);
    });

    test('nothing that is past its time', async () => {
      for (const one of several(3)) await ledger.record(one);
      const late = aDelivery({ ...ids, expiresAt: (testStartMs + 2 * pastRetentionMs) / 1000 });
      await ledger.record(late);
      clock.pass(pastRetentionMs);
      expect(await ofEndpoint()).toEqual([late]);
    });

    test('nothing dead that is past its time', async () => {
      await ledger.record(aDead(ids));
      expect(await withStatus('dead')).toHaveLength(1);
      clock.pass(pastRetentionMs);
      expect(await withStatus('dead')).toEqual([]);
    });

    test('nothing for a cursor that is not of this list', async () => {
      const cursor = Buffer.from('["evt_nonsense"]').toString('base64url');
      const listing = ledger.deliveries.ofEndpoint(ids.endpointId, { limit: 2, cursor });
      await expect(listing).rejects.toMatchObject({ code: 'invalid_cursor' });
      const others = ledger.deliveries.withStatus(ids.organizationId, 'dead', { limit: 2, cursor: '%%%' });
      await expect(others).rejects.toMatchObject({ code: 'invalid_cursor' });
    });

    // Somebody who adds `since` in the middle of a list: DynamoDB refuses a start outside the range, which is no 500.
    test('nothing more for a cursor that lies before `since`', async () => {
      for (const one of several(3)) await ledger.record(one);
      const { nextCursor } = await ledger.deliveries.ofEndpoint(ids.endpointId, { limit: 2 });
      const since = isoTime(testStartMs + 2 * hourMs);
      const query = { limit: 2, cursor: nextCursor ?? '', since };
      const page = await ledger.deliveries.ofEndpoint(ids.endpointId, query);
      expect(page).toEqual({ data: [], nextCursor: null });
    });

    const withStatus = (status: 'dead' | 'discarded') =>
      collect((query) => ledger.deliveries.withStatus(ids.organizationId, status, query));

    test('an organization’s deliveries of a status over all endpoints, newest event first', async () => {
      const [one, two] = [endpointIdOf(`${ids.endpointId} 1`), endpointIdOf(`${ids.endpointId} 2`)];
      const [old, young] = [eventIdOf('old', testStartMs), eventIdOf('young', testStartMs + hourMs)];
      for (const endpointId of [one, two]) {
        for (const eventId of [old, young]) await ledger.record(aDead({ ...ids, endpointId, eventId }));
      }
      const dead = await withStatus('dead');
      expect(dead.map(({ eventId }) => eventId)).toEqual([young, young, old, old]);
      expect(new Set(dead.map(({ endpointId, eventId }) => endpointId + eventId)).size).toBe(4);
    });

    test('of a status without the attempts, which the index does not hold', async () => {
      const { attempts, roundStart, owes, ...summary } = aDead(ids);
      await ledger.record(aDead(ids));
      expect(await withStatus('dead')).toEqual([summary]);
    });

    test('a delivery under its status of the moment only, and one that waits or was delivered under none', async () => {
      await ledger.record(aDelivery(ids));
      const now = async () => [(await withStatus('dead')).length, (await withStatus('discarded')).length];
      expect(await now()).toEqual([0, 0]);
      await ledger.record(aDead({ ...ids, attemptCount: 2 }));
      expect(await now()).toEqual([1, 0]);
      await ledger.rewrite(aDiscarded({ ...ids, round: 2, roundStart: 2, attemptCount: 2 }));
      expect(await now()).toEqual([0, 1]);
      await ledger.record(aDelivered({ ...ids, round: 3, roundStart: 2, attemptCount: 3 }));
      expect(await now()).toEqual([0, 0]);
      expect((await found())?.status).toBe('delivered');
    });

    test('no other organization’s deliveries (I14)', async () => {
      await ledger.record(aDead(ids));
      const others = await ledger.deliveries.withStatus(`${ids.organizationId}x`, 'dead', { limit: 9 });
      expect(others).toEqual({ data: [], nextCursor: null });
    });

    test('the deliveries of an event, those of skipped endpoints that were served by hand among them', async () => {
      const [meant, skipped, silent] = ['meant', 'skipped', 'silent'].map((name) =>
        endpointIdOf(`${name} ${ids.eventId}`),
      );
      if (meant === undefined || skipped === undefined || silent === undefined) throw new Error('three');
      const event = anEvent({
        organizationId: ids.organizationId,
        id: ids.eventId,
        endpoints: [meant, silent],
        skipped: [{ endpointId: skipped, reason: 'endpoint_disabled' }],
      });
      const made = [aDelivery({ ...ids, endpointId: meant }), aDelivered({ ...ids, endpointId: skipped })];
      for (const one of made) await ledger.record(one);
      expect(await ledger.deliveries.ofEvent(event)).toEqual(made);
    });
  });
});
