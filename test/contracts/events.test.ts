import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventWithoutBody } from '../../lambdas/event/event.ts';
import type { StoredEvent } from '../../lambdas/event/event.ts';
import { makePublicationStore } from '../../lambdas/event/publication/store.ts';
import { makeEventStore, makeEventTypeStore } from '../../lambdas/event/store.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { anEvent } from '../fakes/an-event.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { parseJson } from '../../lambdas/shared/json.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { collect } from './collect.ts';
import { kinds, startTables } from './tables.ts';
import type { Tables } from './tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.close());

const stores: [string, (now: () => number) => ReturnType<typeof over>][] = [
  ['memory', (now) => over(memoryTables({ now }), now)],
  ['DynamoDB', (now) => over(tables, now)],
];

function over({ client, ledger }: Tables, now: () => number) {
  const publications = makePublicationStore(client, ledger, now);
  return { events: makeEventStore(client, ledger, now), publications };
}

const hourMs = 3_600_000;
const pastRetentionMs = 31 * 24 * hourMs;
let tests = 0;

describe.each(stores)('events in %s', (kind, open) => {
  let clock: TestClock;
  let events: MemoryLedger['events'];
  let publications: ReturnType<typeof makePublicationStore>;
  let organizationId: string;
  beforeEach(() => {
    clock = aClock();
    ({ events, publications } = open(clock.now));
    organizationId = `org_${kind}-${(tests += 1)}`;
  });

  test('are given back as they were stored, their body to the byte', async () => {
    const event = anEvent({ organizationId, data: { text: 'ä'.repeat(5_000) } });
    expect(await events.add(event)).toBeUndefined();
    const found = await events.get(organizationId, event.id);
    expect(found).toEqual(event);
    expect(Buffer.from(found?.body?.bytes ?? []).equals(Buffer.from(event.body?.bytes ?? []))).toBe(true);
  });

  test('are stored without what they do not have', async () => {
    const { resource: _resource, body: _body, ...event } = anEvent({ organizationId, status: 'refused' });
    await events.add(event);
    expect(await events.get(organizationId, event.id)).toEqual(event);
    expect([_resource, _body?.codec]).toEqual(['pipeline/42', 'br']);
  });

  test('are stored once: the second gets the first, and changes nothing', async () => {
    const first = anEvent({ organizationId, endpoints: ['ep_first'] });
    const second = anEvent({ organizationId, endpoints: ['ep_second'] });
    await events.add(first);
    expect(await events.add(second)).toEqual(first);
    expect(await events.get(organizationId, first.id)).toEqual(first);
  });

  test('published again after their time are stored anew, though DynamoDB has not deleted the old ones', async () => {
    const old = anEvent({ organizationId, endpoints: [] });
    await events.add(old);
    clock.passTo(old.expiresAt * 1000 - 1);
    const again = anEvent({ organizationId, endpoints: ['ep_again'], expiresAt: old.expiresAt + 86_400 });
    expect(await events.add(again)).toEqual(old);
    clock.pass(1);
    expect(await events.add(again)).toBeUndefined();
    expect(await events.get(organizationId, again.id)).toEqual(again);
    expect(await events.list(organizationId, { limit: 10, status: 'refused' })).toMatchObject({ data: [] });
    expect(await events.add({ ...again, endpoints: [] })).toEqual(again);
  });

  test('that were refused give way to one that was mended, and leave the list of refused ones', async () => {
    const old = anEvent({ organizationId, status: 'refused', reason: 'unknown_event_type', endpoints: [] });
    const again = anEvent({ organizationId, endpoints: ['ep_again'] });
    await events.add(old);
    expect(await events.add(again)).toBeUndefined();
    expect(await events.add(old)).toEqual(again);
    expect(await events.get(organizationId, again.id)).toEqual(again);
    expect(await events.list(organizationId, { limit: 10, status: 'refused' })).toMatchObject({ data: [] });
  });

  describe('that the API has published', () => {
    const aQueued = (given: Partial<StoredEvent> = {}): StoredEvent => {
      const { body: _body, ...event } = anEvent({
        organizationId,
        endpoints: [],
        fingerprint: 'one',
        queuedBy: 'call-1',
        ...given,
      });
      expect(_body).toBeDefined();
      return { ...event, status: 'queued' };
    };
    const routed = (fingerprint = 'one') => anEvent({ organizationId, fingerprint });

    test('are found at once as queued, by list and filter too, and give way when they are routed', async () => {
      expect(await publications.queue(aQueued())).toBeUndefined();
      expect(await events.get(organizationId, aQueued().id)).toEqual(aQueued());
      const listed = () => collect((query) => events.list(organizationId, { ...query, status: 'queued' }));
      expect(await listed()).toEqual([aQueued()]);
      expect(await events.add(routed())).toBeUndefined();
      expect(await events.get(organizationId, aQueued().id)).toEqual(routed());
      expect(await listed()).toEqual([]);
    });

    test('give way to nobody who says something else, and are queued once', async () => {
      await publications.queue(aQueued());
      expect(await events.add(routed('another'))).toEqual(aQueued());
      expect(await publications.queue(aQueued({ fingerprint: 'another' }))).toEqual(aQueued());
      await events.add(routed());
      expect(await publications.queue(aQueued())).toEqual(routed());
    });

    test('are queued anew after they were refused, or past their time', async () => {
      await events.add({ ...routed(), status: 'refused' });
      expect(await publications.queue(aQueued())).toBeUndefined();
      expect(await events.list(organizationId, { limit: 10, status: 'refused' })).toMatchObject({ data: [] });
      clock.pass(pastRetentionMs);
      const again = aQueued({ expiresAt: 9e9, receivedAt: isoTime(clock.now()) });
      expect(await publications.queue(again)).toBeUndefined();
      expect(await events.get(organizationId, again.id)).toEqual(again);
    });

    test('are refused when the bus did not take them, unless somebody was faster', async () => {
      await publications.queue(aQueued());
      await publications.withdraw(aQueued({ queuedBy: 'call-2' }));
      expect(await events.get(organizationId, aQueued().id)).toMatchObject({ status: 'queued' });
      await publications.withdraw(aQueued());
      const refused = { status: 'refused', reason: 'not_published' };
      expect(await events.list(organizationId, { limit: 10, status: 'refused' })).toMatchObject({
        data: [refused],
      });
      await events.add(routed());
      await publications.withdraw(aQueued());
      expect(await events.get(organizationId, aQueued().id)).toEqual(routed());
    });

    test('are refused by nobody once another call, in the same millisecond, publishes them too', async () => {
      await publications.queue(aQueued());
      // The SDK repeats a write whose answer was lost, and meets its own.
      expect(await publications.queue(aQueued())).toEqual(aQueued());
      expect(await publications.queue(aQueued({ queuedBy: 'call-2' }))).toEqual(aQueued());
      await publications.withdraw(aQueued());
      await publications.withdraw(aQueued({ queuedBy: 'call-2' }));
      const there = await events.get(organizationId, aQueued().id);
      expect(there).toEqual({ ...aQueued(), isPublishedAgain: true });
      expect(await events.add(routed())).toBeUndefined();
      expect(await events.get(organizationId, aQueued().id)).toEqual(routed());
    });

    test('are not marked by one who says something else', async () => {
      await publications.queue(aQueued());
      await publications.queue(aQueued({ queuedBy: 'call-2', fingerprint: 'another' }));
      await publications.withdraw(aQueued());
      expect(await events.get(organizationId, aQueued().id)).toMatchObject({ status: 'refused' });
    });

    test.each([
      ['the API', (other: StoredEvent) => publications.queue(other)],
      ['the bus', (other: StoredEvent) => events.add({ ...other, status: 'accepted' })],
    ])('keep their key for 14 days, and give way then to other content of %s', async (_who, publish) => {
      await publications.queue(aQueued());
      const at = 14 * 24 * hourMs;
      const other = aQueued({
        fingerprint: 'another',
        receivedAt: isoTime(testStartMs + at),
        expiresAt: 9e9,
      });
      clock.pass(at - 1);
      expect(await publish(other)).toEqual(aQueued());
      clock.pass(1);
      expect(await publish(other)).toBeUndefined();
      expect(await events.get(organizationId, other.id)).toMatchObject({ fingerprint: 'another' });
    });

    test('are lost when no queue can hold them any more, and yet give way to what comes', async () => {
      await publications.queue(aQueued());
      clock.pass(14 * 24 * hourMs - 1);
      expect(await events.get(organizationId, aQueued().id)).toMatchObject({ status: 'queued' });
      clock.pass(1);
      expect(await events.get(organizationId, aQueued().id)).toMatchObject({ status: 'lost' });
      expect(await events.add(routed())).toBeUndefined();
    });
  });

  test('are stored by exactly one of many at the same time', async () => {
    const copies = Array.from({ length: 6 }, (_, index) => anEvent({ organizationId, source: `s${index}` }));
    const answers = await Promise.all(copies.map((copy) => events.add(copy)));
    expect(answers.filter((before) => before === undefined)).toHaveLength(1);
    const winner = await events.get(organizationId, anEvent().id);
    for (const before of answers) if (before !== undefined) expect(before).toEqual(winner);
  });

  test('of the same id in two organizations are two', async () => {
    await events.add(anEvent({ organizationId }));
    expect(await events.add(anEvent({ organizationId: `${organizationId}-b` }))).toBeUndefined();
  });

  test('are not found by another organization, or by another id', async () => {
    const event = anEvent({ organizationId });
    await events.add(event);
    expect(await events.get('org_other', event.id)).toBeUndefined();
    expect(await events.get(organizationId, anEvent({ name: 'two' }).id)).toBeUndefined();
  });

  test('are listed newest first, each once, over all pages', async () => {
    const all = Array.from({ length: 5 }, (_, index) =>
      anEvent({ organizationId, name: String(index), timeMs: testStartMs + index * hourMs }),
    );
    for (const event of all) await events.add(event);
    await events.add(anEvent({ organizationId: `${organizationId}-b` }));
    expect(await collect((query) => events.list(organizationId, query))).toEqual(all.toReversed());
    expect(await events.list(organizationId, { limit: 250 })).toMatchObject({ nextCursor: null });
  });

  test('that were refused are found among all others, with all there is to know of them', async () => {
    const all = Array.from({ length: 6 }, (_, index) =>
      anEvent({
        organizationId,
        name: String(index),
        timeMs: testStartMs + index * hourMs,
        ...(index % 2 === 0
          ? {}
          : { status: 'refused', reason: 'unknown_event_type', explanation: 'None.', endpoints: [] }),
      }),
    );
    for (const event of all) await events.add(event);
    const refused = all.filter(({ status }) => status === 'refused').toReversed();
    const listed = (more: object) =>
      collect((query) => events.list(organizationId, { ...query, ...more }), 2);
    expect(await listed({ status: 'refused' })).toEqual(refused);
    expect(await listed({ status: 'refused', since: isoTime(testStartMs + 4 * hourMs) })).toEqual(
      refused.slice(0, 1),
    );
    expect(await listed({ status: 'refused', until: isoTime(testStartMs + 2 * hourMs) })).toEqual(
      refused.slice(2),
    );
    expect(await listed({ status: 'refused', type: 'no.such' })).toEqual([]);
    expect(await listed({ status: 'accepted' })).toEqual(
      all.filter(({ status }) => status === 'accepted').toReversed(),
    );
    expect(await collect((query) => events.list('org_other', { ...query, status: 'refused' }))).toEqual([]);
  });

  test('are listed by type, by time and by endpoint', async () => {
    const endpointId = endpointIdOf('two');
    const plain = anEvent({ organizationId, name: 'a' });
    const typed = anEvent({
      organizationId,
      name: 'b',
      timeMs: testStartMs + 1,
      type: 'orchestration.job.queued',
    });
    const meant = anEvent({ organizationId, name: 'c', timeMs: testStartMs + 2, endpoints: [endpointId] });
    const passed = anEvent({
      ...{ organizationId, name: 'd', timeMs: testStartMs + 3, endpoints: [] },
      skipped: [{ endpointId, reason: 'endpoint_disabled' }],
    });
    for (const event of [plain, typed, meant, passed]) await events.add(event);
    const listed = (more: object) =>
      collect((query) => events.list(organizationId, { ...query, ...more }), 2);
    expect(await listed({ type: typed.type })).toEqual([typed]);
    expect(await listed({ endpointId })).toEqual([passed, meant]);
    const span = { since: isoTime(testStartMs + 1), until: isoTime(testStartMs + 2) };
    expect(await listed(span)).toEqual([meant, typed]);
  });

  describe('between two moments', () => {
    const inHour = (hour: number, given: Parameters<typeof anEvent>[0] = {}) =>
      anEvent({ organizationId, name: String(hour), timeMs: testStartMs + hour * hourMs, ...given });
    const between = (sinceMs: number, untilMs: number) => {
      const span = { since: isoTime(sinceMs), until: isoTime(untilMs) };
      return collect((query) => events.between(organizationId, span, query));
    };

    test('are listed oldest first, each once, both ends included, without their bodies', async () => {
      const all = [0, 1, 2, 3, 4, 5].map((hour) => inHour(hour));
      for (const event of all.toReversed()) await events.add(event);
      await events.add(anEvent({ organizationId: `${organizationId}-b`, timeMs: testStartMs + 2 * hourMs }));
      const found = await between(testStartMs + hourMs, testStartMs + 4 * hourMs);
      expect(found).toEqual(all.slice(1, 5).map((event) => eventWithoutBody.parse(event)));
      expect(found[0]).not.toHaveProperty('body');
    });

    test('are none where there are none', async () => {
      await events.add(inHour(0));
      expect(await between(testStartMs + 1, testStartMs + hourMs)).toEqual([]);
      expect(await between(0, testStartMs - 1)).toEqual([]);
    });

    test('are shown as they are, refused ones too, and not past their time', async () => {
      await events.add(inHour(0));
      await events.add(inHour(1, { status: 'refused', reason: 'invalid_event', expiresAt: 9e9 }));
      clock.pass(pastRetentionMs);
      const found = await between(testStartMs, testStartMs + hourMs);
      expect(found).toMatchObject([{ status: 'refused', reason: 'invalid_event' }]);
    });

    test('are not listed for a cursor of another list', async () => {
      const cursor = Buffer.from('["ep_1"]').toString('base64url');
      const span = { since: isoTime(testStartMs), until: isoTime(testStartMs) };
      const listing = events.between(organizationId, span, { limit: 2, cursor });
      await expect(listing).rejects.toMatchObject({ code: 'invalid_cursor' });
    });
  });

  test('past their time are gone from every read, though they may still be stored', async () => {
    const event = anEvent({ organizationId });
    const young = anEvent({ organizationId, name: 'young', timeMs: testStartMs + hourMs, expiresAt: 9e9 });
    await events.add(event);
    await events.add(young);
    clock.pass(pastRetentionMs);
    expect(await events.get(organizationId, event.id)).toBeUndefined();
    expect(await collect((query) => events.list(organizationId, query), 1)).toEqual([young]);
  });

  test('are not listed for a cursor of another list', async () => {
    const cursor = Buffer.from('["ep_1"]').toString('base64url');
    const listing = events.list(organizationId, { limit: 2, cursor });
    await expect(listing).rejects.toMatchObject({ code: 'invalid_cursor', status: 400 });
  });
});

describe.each(kinds)('event types in %s', (_kind, open) => {
  let there: Tables;
  beforeAll(async () => {
    there = await open();
  });
  afterAll(() => there.close());

  test('are added, replaced, listed and removed, each over what was read', async () => {
    const types = makeEventTypeStore(there.client, there.config);
    const type = {
      name: 'acme.thing.done',
      category: 'governance' as const,
      description: 'Done.',
      example: { deep: [{ n: 1, exact: parseJson('12345678901234567890.5') }] },
      isBuiltIn: false,
    };
    const other = { ...type, description: 'Really done.' };
    expect(await types.replace(undefined, type)).toBe(true);
    // Over what was read back, whatever the order of its fields has become.
    const [read = type] = await types.list();
    expect(await types.replace(read, other)).toBe(true);
    expect(await types.replace(read, type)).toBe(false);
    expect(await types.replace(undefined, type)).toBe(false);
    expect(await types.remove(read)).toBe(false);
    expect(await types.list()).toEqual([other]);
    expect(await types.remove(other)).toBe(true);
    // As the SDK does when its first answer is lost.
    expect(await types.remove(other)).toBe(true);
    expect(await types.list()).toEqual([]);
  });
});
