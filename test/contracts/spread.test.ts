import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deliveryKey } from '../../lambdas/delivery/key.ts';
import { makeRecord } from '../../lambdas/delivery/record/store.ts';
import { cursorAt } from '../../lambdas/shared/page.ts';
import type { PageQuery } from '../../lambdas/shared/page.ts';
import { spreadKey, spreadKeys } from '../../lambdas/shared/spread.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery } from '../fakes/a-delivery.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../fakes/ids.ts';
import { aJob, memoryCandidates } from '../fakes/jobs.ts';
import { memoryLedger } from '../fakes/ledger.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { collect } from './collect.ts';
import { kinds, startTables } from './tables.ts';
import type { Tables } from './tables.ts';

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;
const minuteMs = 60_000;

describe.each(kinds)('a list that is spread, in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let ledger: MemoryLedger;
  let organizationId: string;
  beforeEach(() => {
    clock = aClock();
    ledger = memoryLedger(clock.now, tables);
    organizationId = `org_spread_${kind}_${(tests += 1)}`;
  });
  const endpointId = endpointIdOf('one');
  /** Of events a minute apart, the oldest first. */
  const ids = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      eventIdOf(`${organizationId} ${index}`, testStartMs + index * minuteMs),
    );
  /** As it was recorded before lists were spread. */
  const recordAsBefore = async (eventId: string, endpoint = endpointId) => {
    const old = aDead({ organizationId, endpointId: endpoint, eventId });
    const Item = { ...deliveryKey(endpoint, eventId), ...old, statusKey: `ORG#${organizationId}#dead` };
    await tables.client.send(new PutCommand({ TableName: tables.ledger, Item }));
  };
  const listed = async (more: object = {}) => {
    const all = await collect((query) =>
      ledger.deliveries.withStatus(organizationId, 'dead', { ...query, ...more }),
    );
    return all.map(({ eventId }) => eventId);
  };
  /** What a job of the whole organization looks at, page after page. */
  const recovered = async (pageItems: number) => {
    const readPage = memoryCandidates(ledger, clock.now, pageItems);
    const found: string[] = [];
    const span = { since: isoTime(testStartMs), until: isoTime(testStartMs + 24 * 60 * minuteMs) };
    let job = aJob({ organizationId, endpointId: null, include: ['dead'], ...span });
    for (;;) {
      const page = await readPage(job);
      found.push(...page.candidates.map(({ ids: { eventId } }) => eventId));
      if (page.isLast || page.cursor === undefined) return found;
      job = { ...job, cursor: page.cursor };
    }
  };

  test('stands in all of its partitions', () => {
    const used = new Set(ids(60).map((eventId) => spreadKey('list', eventId)));
    expect([...used].toSorted()).toEqual(spreadKeys('list').slice(0, 8));
    expect(spreadKeys('list').at(-1)).toBe('list');
  });

  test('pages in the order of its events, the newest first, each once', async () => {
    const all = ids(60);
    for (const eventId of all) await ledger.record(aDead({ organizationId, endpointId, eventId }));
    expect(await listed()).toEqual(all.toReversed());
    const span = { since: isoTime(testStartMs + 10 * minuteMs), until: isoTime(testStartMs + 20 * minuteMs) };
    expect(await listed(span)).toEqual(all.slice(10, 21).toReversed());
  });

  test('has a page that is the last one say so', async () => {
    const all = ids(20);
    for (const eventId of all) await ledger.record(aDead({ organizationId, endpointId, eventId }));
    const page = (limit: number) => ledger.deliveries.withStatus(organizationId, 'dead', { limit });
    expect((await page(20)).nextCursor).toBeNull();
    expect((await page(19)).nextCursor).not.toBeNull();
    expect((await page(19)).data).toHaveLength(19);
  });

  test('is recovered in the order of its events, the oldest first, each once, in pages of any size', async () => {
    const all = ids(30);
    for (const eventId of all) await ledger.record(aDead({ organizationId, endpointId, eventId }));
    for (const pageItems of [1, 7, 30, 100]) expect(await recovered(pageItems)).toEqual(all);
  });

  test('holds what was recorded before lists were spread, at its place among the others', async () => {
    const all = ids(30);
    for (const [index, eventId] of all.entries())
      await (index % 3 === 0
        ? recordAsBefore(eventId)
        : ledger.record(aDead({ organizationId, endpointId, eventId })));
    expect(await listed()).toEqual(all.toReversed());
    for (const pageItems of [1, 4, 100]) expect(await recovered(pageItems)).toEqual(all);
  });

  test('loses what was recorded before when it is attempted again, and shows it once when it dies again', async () => {
    const [eventId = ''] = ids(1);
    await recordAsBefore(eventId);
    const opened = { organizationId, endpointId, eventId, round: 2, roundStart: 1 };
    await ledger.record(aDelivery({ ...opened, attemptCount: 2 }));
    expect(await listed()).toEqual([]);
    await ledger.record(aDead({ ...opened, attemptCount: 3 }));
    expect(await listed()).toEqual([eventId]);
  });

  test('shows each delivery of one event to many endpoints, wherever a page ends', async () => {
    const [first = '', second = ''] = ids(2);
    const endpoints = Array.from({ length: 7 }, (_, index) => endpointIdOf(`${organizationId} ${index}`));
    for (const eventId of [first, second])
      for (const one of endpoints) await ledger.record(aDead({ organizationId, endpointId: one, eventId }));
    const expected = [...endpoints.map(() => second), ...endpoints.map(() => first)];
    expect(await listed()).toEqual(expected);
    for (const pageItems of [1, 3, 5]) expect(await recovered(pageItems)).toEqual(expected.toReversed());
  });

  /** Of events with deliveries to 8 endpoints each, of which every other one died before lists were spread. */
  const recordBoth = async (eventIds: readonly string[]) => {
    const endpoints = Array.from({ length: 8 }, (_, index) => endpointIdOf(`${organizationId} ${index}`));
    for (const eventId of eventIds)
      for (const [index, one] of endpoints.entries())
        await (index % 2 === 0
          ? recordAsBefore(eventId, one)
          : ledger.record(aDead({ organizationId, endpointId: one, eventId })));
  };

  test('shows each delivery of one event once, though some were recorded before lists were spread', async () => {
    const all = ids(3);
    await recordBoth(all);
    const expected = all.flatMap((eventId) => Array.from({ length: 8 }, () => eventId));
    for (const limit of [1, 2, 3, 5, 8, 24, 100]) {
      const read = (query: PageQuery) => ledger.deliveries.withStatus(organizationId, 'dead', query);
      const shown = await collect(read, limit);
      expect(shown.map(({ eventId }) => eventId)).toEqual(expected.toReversed());
      expect(new Set(shown.map((one) => `${one.eventId} ${one.endpointId}`)).size).toBe(24);
    }
    for (const pageItems of [1, 3, 5, 8, 100]) expect(await recovered(pageItems)).toEqual(expected);
  });

  test('goes on from a cursor of the version before, and from one that lies outside of the span', async () => {
    const all = ids(4);
    for (const eventId of all) await ledger.record(aDead({ organizationId, endpointId, eventId }));
    const page = async (more: object) => {
      const query = { limit: 10, cursor: cursorAt([all[2] ?? '', endpointId]), ...more };
      const { data } = await ledger.deliveries.withStatus(organizationId, 'dead', query);
      return data.map(({ eventId }) => eventId);
    };
    expect(await page({})).toEqual([all[1], all[0]]);
    expect(await page({ since: isoTime(testStartMs + 3 * minuteMs) })).toEqual([]);
    expect(await page({ until: isoTime(testStartMs) })).toEqual([all[0]]);
  });
});

// The index is paid for by the write and the byte: what goes well, or waits, must never be in it.
test('the index in DynamoDB holds nothing of a delivery that was delivered, or waits', async () => {
  const tables = await startTables();
  const organizationId = 'org_sparse';
  const record = makeRecord(tables.client, tables.ledger, () => testStartMs);
  const indexed = async () => {
    const input = { TableName: tables.ledger, IndexName: 'byStatus' };
    const answer = await tables.client.send(new ScanCommand(input));
    return (answer.Items ?? []).map((item): unknown => item['statusKey']);
  };
  await record(aDelivered({ organizationId, eventId: eventIdOf('at once') }));
  expect(await indexed()).toEqual([]);
  await record(aDelivery({ organizationId }));
  expect(await indexed()).toEqual([]);
  await record(aDelivered({ organizationId, attemptCount: 2 }));
  expect(await indexed()).toEqual([]);
  await record(aDead({ organizationId, attemptCount: 3, round: 3 }));
  expect(await indexed()).toEqual([spreadKey('ORG#org_sparse#dead', eventIdOf('one'))]);
  await tables.close();
});
