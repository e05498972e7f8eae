import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import type { OperatorEntry } from '../../../lambdas/event/operator-event.ts';
import { reconcile } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import type { ReconcilePorts, ReconcileQuery } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import { watch } from '../../../lambdas/recovery/reconcile/watch.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLog } from '../../fakes/log.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const whole = { since: isoTime(0), until: isoTime(testStartMs + 24 * hourMs) };

type Books = ReturnType<typeof someBooks>;

/** The organization `org_1` with its ledger, five hours after `testStartMs`. */
function someBooks(given: Partial<Pick<ReconcilePorts, 'isWaiting'>> & { hasTime?: () => boolean } = {}) {
  const { hasTime = () => true, isWaiting = () => Promise.resolve(false) } = given;
  const clock = aClock(testStartMs + 5 * hourMs);
  const configuration = memoryConfiguration();
  const ledger = memoryLedger(clock.now);
  configuration.setOrganization(anOrganization());
  const told: string[] = [];
  const ports: ReconcilePorts = {
    listOrganizations: configuration.organizations.list,
    ledger: {
      listEvents: ledger.events.between,
      listRetrying: (organizationId, page) => ledger.deliveries.withStatus(organizationId, 'retrying', page),
      readDelivery: ledger.deliveries.get,
    },
    isWaiting,
    tell: (organizationId) => {
      told.push(organizationId);
      return Promise.resolve();
    },
    clock: { now: clock.now, hasTime },
  };
  return {
    ...{ clock, configuration, ledger, ports, told },
    run: (query: Partial<ReconcileQuery> = {}) => reconcile(ports, { ...whole, ...query }),
    /** An event with an end for each of its endpoints, or none. */
    keep: async (event: StoredEvent, ends: Record<string, Delivery | undefined>) => {
      const { id: eventId, organizationId } = event;
      const endpoints = Object.keys(ends).map(endpointIdOf);
      await ledger.events.add({ ...event, endpoints });
      for (const [name, end] of Object.entries(ends)) {
        if (end === undefined) continue;
        await ledger.record({ ...end, organizationId, eventId, endpointId: endpointIdOf(name) });
      }
    },
  };
}

const lateRetry = (lateMs: number) =>
  aDelivery({ nextAttemptAt: isoTime(testStartMs + 5 * hourMs - lateMs) });

describe('a reconciliation', () => {
  it('counts every delivery that there should be once, by its end', async () => {
    const books = someBooks();
    await books.keep(anEvent({ name: 'a' }), { one: aDelivered(), two: aDead(), three: aDiscarded() });
    await books.keep(anEvent({ name: 'b' }), { one: lateRetry(0), two: undefined });
    const { counts, findings, isComplete } = await books.run();
    expect(counts).toEqual({
      ...{ organizations: 1, events: 2, deliveries: 5 },
      ...{ delivered: 1, dead: 1, discarded: 1, retrying: 1, waiting: 0, missing: 1, overdue: 0 },
    });
    expect(findings).toHaveLength(1);
    expect(isComplete).toBe(true);
  });

  it('finds a delivery that was removed by hand', async () => {
    const books = someBooks();
    const event = anEvent();
    await books.keep(event, { one: aDelivered(), two: aDelivered() });
    expect((await books.run()).findings).toEqual([]);
    books.ledger.removeByHand(endpointIdOf('two'), event.id);
    expect((await books.run()).findings).toEqual([
      { organizationId: 'org_1', endpointId: endpointIdOf('two'), eventId: event.id, kind: 'missing' },
    ]);
  });

  it('asks nothing of refused events, of endpoints that were skipped, and of events outside the span', async () => {
    const books = someBooks();
    const skipped = [{ endpointId: endpointIdOf('off'), reason: 'endpoint_disabled' as const }];
    await books.keep(anEvent({ name: 'refused', status: 'refused' }), { one: undefined });
    await books.keep(anEvent({ name: 'skipped', skipped }), { one: aDelivered() });
    await books.keep(anEvent({ name: 'early', timeMs: testStartMs - 1 }), { one: undefined });
    await books.keep(anEvent({ name: 'late', timeMs: testStartMs + hourMs + 1 }), { one: undefined });
    const span = { since: isoTime(testStartMs), until: isoTime(testStartMs + hourMs) };
    const { counts } = await books.run(span);
    expect(counts).toMatchObject({ events: 1, deliveries: 1, delivered: 1, missing: 0 });
  });

  it('takes a test that failed for no delivery', async () => {
    const books = someBooks();
    await books.keep(anEvent(), { one: aDead({ status: 'failed' }) });
    expect((await books.run()).counts).toMatchObject({ deliveries: 1, missing: 1 });
  });

  it('gives what came in a moment ago its time, however long ago it happened', async () => {
    const books = someBooks();
    const at = (agoMs: number) => isoTime(testStartMs + 5 * hourMs - agoMs);
    await books.keep(anEvent({ name: 'a', receivedAt: at(14 * minuteMs) }), { one: undefined });
    await books.keep(anEvent({ name: 'b', receivedAt: at(16 * minuteMs) }), { one: undefined });
    expect((await books.run()).counts).toMatchObject({ waiting: 1, missing: 1 });
  });

  it.each([
    ['an hour and more late', 61 * minuteMs, 1],
    ['not yet an hour late', 59 * minuteMs, 0],
    ['not due yet', -hourMs, 0],
  ])('a delivery whose next attempt is %s is overdue or not', async (_, lateMs, overdue) => {
    const books = someBooks();
    await books.keep(anEvent(), { one: lateRetry(lateMs) });
    const { counts, findings } = await books.run();
    expect(counts).toMatchObject({ retrying: 1, overdue });
    expect(findings.map(({ kind }) => kind)).toEqual(overdue === 1 ? ['overdue'] : []);
  });

  it('finds what is overdue of events from before the span', async () => {
    const books = someBooks();
    await books.keep(anEvent(), { one: lateRetry(2 * hourMs) });
    const { counts } = await books.run({ since: isoTime(testStartMs + hourMs) });
    expect(counts).toMatchObject({ events: 0, deliveries: 0, overdue: 1 });
  });

  it('believes the ledger and not the index, which may be behind', async () => {
    const books = someBooks();
    const behind = lateRetry(2 * hourMs);
    await books.keep(anEvent(), { one: aDelivered({ attemptCount: 2 }) });
    const listRetrying = () => Promise.resolve({ data: [behind], nextCursor: null });
    const ports = { ...books.ports, ledger: { ...books.ports.ledger, listRetrying } };
    expect((await reconcile(ports, whole)).counts.overdue).toBe(0);
  });

  it('reports nothing of an endpoint whose deliveries wait for a good reason', async () => {
    const asked: string[] = [];
    const books = someBooks({
      isWaiting: (endpointId) => {
        asked.push(endpointId);
        return Promise.resolve(endpointId === endpointIdOf('paused'));
      },
    });
    const retry = lateRetry(2 * hourMs);
    const event = anEvent({ receivedAt: isoTime(testStartMs + hourMs) });
    await books.keep(event, { paused: undefined, lost: undefined, fine: aDelivered() });
    await books.keep(anEvent({ name: 'b' }), { paused: retry, lost: retry });
    const { counts, findings } = await books.run();
    expect(counts).toMatchObject({ waiting: 1, missing: 1, retrying: 2, overdue: 1 });
    expect(new Set(findings.map(({ endpointId }) => endpointId))).toEqual(new Set([endpointIdOf('lost')]));
    // Nobody is asked about what is well.
    expect(asked.toSorted()).toEqual(
      ['paused', 'paused', 'lost', 'lost'].map((name) => endpointIdOf(name)).toSorted(),
    );
  });

  it('keeps the first thousand findings and counts the others', async () => {
    const books = someBooks();
    for (let index = 0; index < 1_100; index += 1) {
      await books.keep(anEvent({ name: String(index), timeMs: testStartMs + index }), { one: undefined });
    }
    const { counts, findings } = await books.run();
    expect(counts).toMatchObject({ events: 1_100, missing: 1_100 });
    expect(findings).toHaveLength(1_000);
    expect(findings[0]?.eventId).toBe(anEvent({ name: '0' }).id);
  });

  it('reads the deliveries of one event to very many endpoints in parts', async () => {
    const books = someBooks();
    const names = Array.from({ length: 2_345 }, (_, index) => `endpoint ${String(index)}`);
    await books.keep(anEvent(), Object.fromEntries(names.map((name) => [name, aDelivered()])));
    let [now, most] = [0, 0];
    const readDelivery: ReconcilePorts['ledger']['readDelivery'] = async (...ids) => {
      most = Math.max(most, (now += 1));
      const found = await books.ledger.deliveries.get(...ids);
      now -= 1;
      return found;
    };
    const ports = { ...books.ports, ledger: { ...books.ports.ledger, readDelivery } };
    expect((await reconcile(ports, whole)).counts).toMatchObject({ deliveries: 2_345, delivered: 2_345 });
    expect(most).toBe(1_000);
  });
});

describe('organizations', () => {
  const several = async (books: Books, count: number) => {
    for (let index = 0; index < count; index += 1) {
      const id = `org_${String(index).padStart(4, '0')}`;
      books.configuration.setOrganization(anOrganization({ id }));
      await books.keep(anEvent({ organizationId: id, name: id }), { one: undefined });
    }
  };

  it('are all looked at, page by page, and told of one by one', async () => {
    const books = someBooks();
    await several(books, 250);
    const { counts, findings } = await books.run();
    expect(counts).toMatchObject({ organizations: 251, events: 250, missing: 250 });
    expect(new Set(findings.map(({ organizationId }) => organizationId)).size).toBe(250);
    expect(books.told).toHaveLength(251);
  });

  it('are left alone when one is named', async () => {
    const books = someBooks();
    await several(books, 3);
    const { counts, findings } = await books.run({ organizationId: 'org_0001' });
    expect(counts).toMatchObject({ organizations: 1, missing: 1 });
    expect(findings.map(({ organizationId }) => organizationId)).toEqual(['org_0001']);
  });

  it('are looked at until time runs out, and the answer says that it is not all', async () => {
    let looks = 0;
    const books = someBooks({ hasTime: () => (looks += 1) <= 8 });
    await several(books, 20);
    const { counts, isComplete } = await books.run();
    expect(isComplete).toBe(false);
    expect(counts.missing).toBeGreaterThan(0);
    expect(counts.organizations).toBeLessThan(20);
    expect(books.told).toHaveLength(counts.organizations);
  });

  it('that are being looked at when time runs out are told of, too', async () => {
    let looks = 0;
    const books = someBooks({ hasTime: () => (looks += 1) <= 4 });
    for (let index = 0; index < 300; index += 1) {
      await books.keep(anEvent({ name: String(index), timeMs: testStartMs + index }), { one: undefined });
    }
    const { counts, isComplete } = await books.run();
    expect([isComplete, books.told]).toEqual([false, ['org_1']]);
    expect(counts).toMatchObject({ organizations: 1, events: 200, missing: 200 });
  });
});

describe('whatever happened', () => {
  const end = fc.constantFrom('delivered', 'dead', 'discarded', 'retrying', 'nothing', 'young');
  const ends = {
    ...{ delivered: aDelivered(), dead: aDead(), discarded: aDiscarded(), retrying: lateRetry(2 * hourMs) },
    ...{ nothing: undefined, young: undefined },
  };

  it('deliveries = delivered + dead + discarded + retrying + waiting + missing, and each gap is found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(end, { maxLength: 4 }), { maxLength: 12 }),
        fc.integer({ min: 0, max: 15 }),
        async (events, removed) => {
          const books = someBooks();
          const kept: { endpointId: string; eventId: string; end: string }[] = [];
          for (const [index, own] of events.entries()) {
            const isYoung = own.includes('young');
            const receivedAt = isYoung ? books.clock.iso() : isoTime(testStartMs);
            const event = anEvent({ name: String(index), receivedAt });
            const named = own.map((kind, at) => [`${String(index)}-${String(at)}`, kind] as const);
            await books.keep(event, Object.fromEntries(named.map(([name, kind]) => [name, ends[kind]])));
            for (const [name, kind] of named) {
              const isWaiting = isYoung && ends[kind] === undefined;
              kept.push({
                endpointId: endpointIdOf(name),
                eventId: event.id,
                end: isWaiting ? 'waiting' : kind,
              });
            }
          }
          const [victim] = kept.slice(removed).filter((one) => one.end === 'delivered');
          if (victim !== undefined) books.ledger.removeByHand(victim.endpointId, victim.eventId);

          const { counts, findings } = await books.run();
          const { delivered, dead, discarded, retrying, waiting, missing } = counts;
          expect(counts.deliveries).toBe(kept.length);
          expect(delivered + dead + discarded + retrying + waiting + missing).toBe(kept.length);
          expect(counts.overdue).toBe(kept.filter((one) => one.end === 'retrying').length);
          expect(findings).toHaveLength(missing + counts.overdue);
          if (victim === undefined) return;
          const isIn = findings.some(({ eventId, endpointId }) => {
            return eventId === victim.eventId && endpointId === victim.endpointId;
          });
          const isYoung = waiting > kept.filter((one) => one.end === 'waiting').length;
          expect(isIn || isYoung).toBe(true);
        },
      ),
    );
  });
});

describe('every hour', () => {
  const watched = (books: Books, announce?: (entry: OperatorEntry) => Promise<void>) => {
    const journal = memoryLog();
    const entries: OperatorEntry[] = [];
    const keep = (entry: OperatorEntry) => {
      entries.push(entry);
      return Promise.resolve();
    };
    const ports = { ...books.ports, announce: announce ?? keep, log: journal.log };
    const said = () => entries.map(({ detail }) => JSON.parse(detail) as Record<string, unknown>);
    return { lines: journal.lines, entries, said, run: () => watch(ports) };
  };

  it('events of three hours ago until one hour ago are looked at', async () => {
    const books = someBooks();
    const nowMs = books.clock.now();
    for (const agoMs of [3 * hourMs + 1, 3 * hourMs, 2 * hourMs, hourMs, hourMs - 1]) {
      await books.keep(anEvent({ name: String(agoMs), timeMs: nowMs - agoMs }), { one: undefined });
    }
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.lines.at(-1)).toMatchObject({
      message: 'reconciliation.done',
      fields: { organizations: 1, events: 3, missing: 3, isComplete: true },
    });
  });

  it('nobody is told of an organization without a gap, but the log says that it was looked at', async () => {
    const books = someBooks();
    await books.keep(anEvent({ timeMs: testStartMs + 3 * hourMs }), { one: aDelivered(), two: aDead() });
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.entries).toEqual([]);
    expect(watcher.lines.map(({ message }) => message)).toEqual(['reconciliation.done']);
  });

  it('the operator is told of each organization with a gap: its counts and the first twenty', async () => {
    const books = someBooks();
    books.configuration.setOrganization(anOrganization({ id: 'org_2' }));
    books.configuration.setOrganization(anOrganization({ id: 'org_3' }));
    for (let index = 0; index < 25; index += 1) {
      const timeMs = testStartMs + 3 * hourMs + index;
      await books.keep(anEvent({ name: String(index), timeMs }), { one: undefined });
      await books.keep(anEvent({ name: String(index), timeMs, organizationId: 'org_2' }), {
        two: aDelivered(),
      });
    }
    await books.keep(anEvent({ organizationId: 'org_3' }), { three: lateRetry(3 * hourMs) });
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.entries.map(({ source, detailType }) => [source, detailType])).toEqual([
      ['tidings', 'reconciliation.gap'],
      ['tidings', 'reconciliation.gap'],
    ]);
    const [first, second] = watcher.said();
    expect(first).toMatchObject({ organizationId: 'org_1', counts: { missing: 25, overdue: 0 } });
    expect(first?.['findings']).toHaveLength(20);
    expect(second).toMatchObject({
      organizationId: 'org_3',
      since: isoTime(testStartMs + 2 * hourMs),
      until: isoTime(testStartMs + 4 * hourMs),
      counts: { missing: 0, overdue: 1 },
      findings: [{ endpointId: endpointIdOf('three'), kind: 'overdue' }],
    });
    expect(watcher.lines.map(({ message }) => message)).toEqual([
      'reconciliation.gap',
      'reconciliation.gap',
      'reconciliation.done',
    ]);
  });

  it('a bus that takes nothing fails the run, which is made again', async () => {
    const books = someBooks();
    await books.keep(anEvent({ timeMs: testStartMs + 3 * hourMs }), { one: undefined });
    const watcher = watched(books, () => Promise.reject(new Error('no bus')));
    await expect(watcher.run()).rejects.toThrow('no bus');
    expect(watcher.lines.map(({ message }) => message)).toEqual(['reconciliation.gap']);
  });

  it('a run that has no time left says that it is not complete', async () => {
    const books = someBooks({ hasTime: () => false });
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.lines).toMatchObject([
      { message: 'reconciliation.done', fields: { organizations: 0, isComplete: false } },
    ]);
  });
});
