import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeRecord } from '../../lambdas/delivery/record/store.ts';
import { makeEventStore } from '../../lambdas/event/store.ts';
import type { Candidate, CandidatePage } from '../../lambdas/recovery/candidates.ts';
import type { Job } from '../../lambdas/recovery/job.ts';
import { makeJobStore, makeReadCandidates } from '../../lambdas/recovery/store.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery } from '../fakes/a-delivery.ts';
import { aMessage } from '../fakes/a-message.ts';
import { anEvent } from '../fakes/an-event.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { aJob } from '../fakes/jobs.ts';
import type { JobStore } from '../fakes/jobs.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { collect } from './collect.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.close());

interface Store {
  readonly jobs: JobStore;
  readonly readPage: (job: Job) => Promise<CandidatePage>;
  readonly record: MemoryLedger['record'];
  readonly addEvent: MemoryLedger['events']['add'];
}

const stores: [string, (now: () => number) => Store][] = [
  ['memory', (now) => over(memoryTables({ now }), now)],
  ['DynamoDB', (now) => over(tables, now)],
];

function over({ client, ledger }: Tables, now: () => number): Store {
  return {
    jobs: makeJobStore(client, ledger, now),
    readPage: makeReadCandidates(client, ledger, { now }),
    record: makeRecord(client, ledger, now),
    addEvent: makeEventStore(client, ledger, now).add,
  };
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

describe.each(stores)('jobs in %s', (kind, open) => {
  let clock: TestClock;
  let store: Store;
  let organizationId: string;
  let endpointId: string;
  beforeEach(() => {
    clock = aClock();
    store = open(clock.now);
    organizationId = `org_jobs_${kind}_${(tests += 1)}`;
    endpointId = endpointIdOf(organizationId);
  });
  const job = (given: Parameters<typeof aJob>[0] = {}) => aJob({ organizationId, endpointId, ...given });
  const found = ({ id }: Job) => store.jobs.get(organizationId, id);

  test('a job is given back as it was written', async () => {
    const written = job({
      cursor: { eventId: anEvent().id, endpointId },
      outbox: [aMessage({ trigger: 'manual' }), aMessage({ round: 2 })],
      notBefore: isoTime(testStartMs),
    });
    await store.jobs.add(written);
    expect(await found(written)).toEqual(written);
    expect(await store.jobs.get('org_other', written.id)).toBeUndefined();
  });

  test('one of many that go on from the same version does', async () => {
    const before = job();
    await store.jobs.add(before);
    const copies = Array.from({ length: 8 }, (_, index) => ({
      ...before,
      version: 2,
      updatedAt: isoTime(testStartMs + index),
    }));
    const advanced = await Promise.all(copies.map((after) => store.jobs.advance(before, after)));
    expect(advanced.filter(Boolean)).toHaveLength(1);
    expect(await found(before)).toEqual(copies[advanced.indexOf(true)]);
  });

  // The SDK repeats a write whose answer was lost; taken for overtaken, the job would stand still for ever.
  test('the very same step again is no other one', async () => {
    const before = job();
    await store.jobs.add(before);
    const after = { ...before, version: 2, outbox: [aMessage()] };
    expect(await store.jobs.advance(before, after)).toBe(true);
    expect(await store.jobs.advance(before, after)).toBe(true);
    expect(await store.jobs.advance(before, { ...after, outbox: [] })).toBe(false);
  });

  test('a step forgets what no longer holds', async () => {
    const before = job({ outbox: [aMessage()], notBefore: isoTime(testStartMs) });
    await store.jobs.add(before);
    const { notBefore: _gone, ...rest } = before;
    const after = { ...rest, version: 2, outbox: [] };
    await store.jobs.advance(before, after);
    expect(await found(before)).toEqual(after);
    expect(_gone).toBeDefined();
  });

  test('a job that is cancelled goes no further, and keeps what it owes', async () => {
    const before = job({ outbox: [aMessage()] });
    await store.jobs.add(before);
    clock.pass(5_000);
    await store.jobs.cancel(organizationId, before.id);
    const at = isoTime(testStartMs + 5_000);
    const cancelled = { ...before, status: 'cancelled', version: 2, updatedAt: at, finishedAt: at };
    expect(await found(before)).toEqual(cancelled);
    expect(await store.jobs.advance(before, { ...before, version: 2 })).toBe(false);
  });

  test('what is finished cannot be cancelled, nor what was never made', async () => {
    const finished = job({ status: 'finished' });
    await store.jobs.add(finished);
    await store.jobs.cancel(organizationId, finished.id);
    expect(await found(finished)).toEqual(finished);
    const never = job({ timeMs: testStartMs + 1 });
    await store.jobs.cancel(organizationId, never.id);
    expect(await found(never)).toBeUndefined();
  });

  test('the newest come first, each once, and no other organization’s', async () => {
    const all = [1, 2, 3, 4, 5].map((minute) => job({ timeMs: testStartMs + minute * minuteMs }));
    for (const one of all) await store.jobs.add(one);
    await store.jobs.add(job({ organizationId: `${organizationId}x` }));
    expect(await collect((query) => store.jobs.list(organizationId, query))).toEqual(all.toReversed());
    const wrong = store.jobs.list(organizationId, { limit: 2, cursor: 'W10' });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_cursor' });
  });

  test('a job is gone after its time', async () => {
    const one = job();
    await store.jobs.add(one);
    clock.pass(31 * 24 * hourMs);
    expect(await found(one)).toBeUndefined();
    expect((await store.jobs.list(organizationId, { limit: 9 })).data).toEqual([]);
  });

  /** All candidates of a job, page after page. */
  const readAll = async (of: Job): Promise<{ candidates: Candidate[]; examined: number; pages: number }> => {
    const all = { candidates: [] as Candidate[], examined: 0, pages: 0 };
    for (let at = of; ;) {
      const page = await store.readPage(at);
      all.candidates.push(...page.candidates);
      all.examined += page.examined;
      all.pages += 1;
      if (page.isLast) return all;
      if (page.cursor === undefined) throw new Error('a page that is not the last has no end');
      at = { ...at, cursor: page.cursor };
    }
  };
  const event = (minutesAgo: number, given: Partial<Parameters<typeof anEvent>[0]> = {}) =>
    anEvent({
      name: `${organizationId} ${minutesAgo}`,
      timeMs: testStartMs - minutesAgo * minuteMs,
      organizationId,
      endpoints: [endpointId],
      ...given,
    });
  const namesOf = ({ candidates }: { candidates: Candidate[] }) =>
    candidates.map(({ ids, delivery }) => [ids.eventId, delivery?.status ?? 'none']);

  describe('an endpoint’s candidates', () => {
    test('are the events that were meant for it, the oldest first, with what became of them', async () => {
      const other = endpointIdOf('other');
      const skipped = [{ endpointId, reason: 'endpoint_disabled' as const }];
      const [dead, delivered, none, passed] = [event(50), event(40), event(30), event(20)];
      const [skip, others] = [event(10, { endpoints: [], skipped }), event(5, { endpoints: [other] })];
      for (const one of [others, passed, dead, none, delivered, skip]) await store.addEvent(one);
      await store.record(aDead({ organizationId, endpointId, eventId: dead.id }));
      await store.record(aDelivered({ organizationId, endpointId, eventId: delivered.id }));
      await store.record(aDelivery({ organizationId, endpointId: other, eventId: passed.id }));
      const all = await readAll(job());
      expect(namesOf(all)).toEqual([
        [dead.id, 'dead'],
        [delivered.id, 'delivered'],
        [none.id, 'none'],
        [passed.id, 'none'],
        [skip.id, 'none'],
      ]);
      expect(all.examined).toBe(6);
      expect(all.candidates.at(-1)).toMatchObject({
        skipReason: skip.skipped[0]?.reason,
        receivedAt: skip.receivedAt,
      });
      expect(all.candidates.at(-2)).toMatchObject({ skipReason: undefined });
    });

    test('lie in the span, both its ends included', async () => {
      const events = [40, 30, 20, 10].map((minutes) => event(minutes));
      for (const one of events) await store.addEvent(one);
      const span = {
        since: isoTime(testStartMs - 30 * minuteMs),
        until: isoTime(testStartMs - 20 * minuteMs),
      };
      expect(namesOf(await readAll(job(span)))).toEqual([
        [events[1]?.id, 'none'],
        [events[2]?.id, 'none'],
      ]);
    });

    test('are found once each over many pages', async () => {
      const events = Array.from({ length: 230 }, (_, index) => event(1_000 - index));
      for (const one of events) await store.addEvent(one);
      const [tenth] = events.slice(110);
      await store.record(aDead({ organizationId, endpointId, eventId: tenth?.id ?? '' }));
      const all = await readAll(job());
      expect(all).toMatchObject({ examined: 230, pages: 3 });
      expect(namesOf(all)).toEqual(events.map(({ id }) => [id, id === tenth?.id ? 'dead' : 'none']));
    });

    test('are none where nothing happened, and none that is past its time', async () => {
      expect(await readAll(job())).toEqual({ candidates: [], examined: 0, pages: 1 });
      await store.addEvent(event(10, { expiresAt: testStartMs / 1000 - 1 }));
      expect(await readAll(job())).toEqual({ candidates: [], examined: 0, pages: 1 });
    });
  });

  describe('an organization’s candidates', () => {
    const ofAll = (given: Parameters<typeof aJob>[0] = {}) => job({ ...given, endpointId: null });

    test('are the dead deliveries of all its endpoints, those of the oldest event first', async () => {
      const [one, two] = [endpointIdOf(`${organizationId} 1`), endpointIdOf(`${organizationId} 2`)];
      const [old, young] = [event(50).id, event(40).id];
      for (const endpointId of [one, two]) {
        for (const eventId of [young, old])
          await store.record(aDead({ organizationId, endpointId, eventId }));
      }
      await store.record(aDelivery({ organizationId, endpointId: one, eventId: event(30).id }));
      await store.record(aDead({ organizationId: `${organizationId}x`, eventId: event(30).id }));
      const all = await readAll(ofAll());
      expect(all.candidates.map(({ ids }) => ids.eventId)).toEqual([old, old, young, young]);
      expect(new Set(all.candidates.map(({ ids }) => ids.endpointId))).toEqual(new Set([one, two]));
      expect(all.candidates[0]).toMatchObject({ delivery: { status: 'dead', round: 1, attemptCount: 1 } });
      const span = { since: isoTime(testStartMs - 45 * minuteMs) };
      expect((await readAll(ofAll(span))).candidates.map(({ ids }) => ids.eventId)).toEqual([young, young]);
    });

    // They leave the index one by one: the place where the last page ended may be gone.
    test('are found though those of the last page are dead no more', async () => {
      const ids = Array.from({ length: 150 }, (_, index) => event(1_000 - index).id);
      for (const eventId of ids) await store.record(aDead({ organizationId, endpointId, eventId }));
      const first = await store.readPage(ofAll());
      expect(first.candidates).toHaveLength(100);
      for (const { ids } of first.candidates) {
        await store.record(aDelivered({ ...ids, round: 2, roundStart: 1, attemptCount: 2 }));
      }
      if (first.cursor === undefined) throw new Error('a page has an end');
      const second = await store.readPage(ofAll({ cursor: first.cursor }));
      expect(second.candidates.map(({ ids }) => ids.eventId)).toEqual(ids.slice(100));
      expect(second.isLast).toBe(true);
    });
  });
});
