import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { reconcile } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import type { ReconcilePorts } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDiscarded } from '../../fakes/a-delivery.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { hourMs, lateRetry, lateRow, minuteMs, parked, someBooks, whole } from './some-books.ts';
import type { Books } from './some-books.ts';

describe('a reconciliation', () => {
  it('counts every delivery that there should be once, by its end', async () => {
    const books = someBooks();
    await books.keep(anEvent({ name: 'a' }), { one: aDelivered(), two: aDead(), three: aDiscarded() });
    await books.keep(anEvent({ name: 'b' }), { one: lateRetry(0), two: undefined });
    const { counts, findings, isComplete } = await books.run();
    expect(counts).toEqual({
      ...{ organizations: 1, events: 2, deliveries: 5 },
      ...{ delivered: 1, dead: 1, discarded: 1, retrying: 1, waiting: 0, missing: 1, overdue: 0 },
      unrouted: 0,
    });
    expect(findings).toHaveLength(1);
    expect(isComplete).toBe(true);
  });

  it('finds a delivery that was removed by hand', async () => {
    const books = someBooks();
    const event = anEvent();
    await books.keep(event, { one: aDelivered(), two: aDelivered() });
    expect((await books.run()).findings).toEqual([]);
    await books.ledger.removeByHand(endpointIdOf('two'), event.id);
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
    await books.keep(anEvent({ name: 'a', receivedAt: at(59 * minuteMs) }), { one: undefined });
    await books.keep(anEvent({ name: 'b', receivedAt: at(61 * minuteMs) }), { one: undefined });
    expect((await books.run()).counts).toMatchObject({ waiting: 1, missing: 1 });
  });

  it.each([
    ['for more than an hour', 61 * minuteMs, 1],
    ['not yet for an hour', 59 * minuteMs, 0],
  ])('an event that the API took, and that is queued %s, is unrouted or not', async (_, agoMs, unrouted) => {
    const books = someBooks();
    const event = anEvent({ status: 'queued', receivedAt: isoTime(testStartMs + 5 * hourMs - agoMs) });
    await books.keep(event, {});
    const { counts, findings } = await books.run();
    expect(counts).toMatchObject({ events: 0, deliveries: 0, missing: 0, unrouted });
    const found = { organizationId: 'org_1', eventId: event.id, kind: 'unrouted' };
    expect(findings).toEqual(unrouted === 1 ? [found] : []);
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

  it.each([
    ['more than two hours late', 121 * minuteMs, 1],
    ['not yet two hours late: a second look at it is to come', 119 * minuteMs, 0],
    ['not due yet', -24 * hourMs, 0],
  ])('a row that waits until a time, and is %s, is overdue or not', async (_, lateMs, overdue) => {
    const books = someBooks();
    await books.keep(anEvent(), { one: lateRow(lateMs) });
    const { counts, findings } = await books.run();
    // Once, though both its event and its row are looked at.
    expect(counts).toMatchObject({ retrying: 1, overdue });
    expect(findings.map(({ kind }) => kind)).toEqual(overdue === 1 ? ['overdue'] : []);
  });

  it('finds rows that are overdue of events from before the span', async () => {
    const books = someBooks();
    await books.keep(anEvent(), { one: lateRow(3 * hourMs), two: lateRow(hourMs) });
    const { counts, findings } = await books.run({ since: isoTime(testStartMs + hourMs) });
    expect(counts).toMatchObject({ events: 0, deliveries: 0, overdue: 1 });
    expect(findings).toMatchObject([{ endpointId: endpointIdOf('one'), kind: 'overdue' }]);
  });

  it('believes the ledger and not the index, which may be behind', async () => {
    const books = someBooks();
    await books.keep(anEvent(), { one: aDelivered({ attemptCount: 2 }) });
    const listOverdue = () => Promise.resolve([lateRow(3 * hourMs)]);
    const ports = { ...books.ports, ledger: { ...books.ports.ledger, listOverdue } };
    expect((await reconcile(ports, whole)).counts.overdue).toBe(0);
  });

  it('asks for what was due more than two hours ago, when every second look is over', async () => {
    const books = someBooks();
    const asked: number[] = [];
    const listOverdue = (beforeMs: number) => {
      asked.push(beforeMs);
      return Promise.resolve([]);
    };
    await reconcile({ ...books.ports, ledger: { ...books.ports.ledger, listOverdue } }, whole);
    expect(asked).toEqual([books.clock.now() - 2 * hourMs]);
  });

  it('reports of what waits for an endpoint only what nobody comes for, however long it waits', async () => {
    const books = someBooks();
    const dueAtTime = isoTime(testStartMs + 6 * hourMs);
    await books.health.replace(endpointIdOf('paused'), well, {
      ...well,
      backlog: { turn: 1, pass: 1, dueAt: dueAtTime },
    });
    await books.keep(anEvent(), { paused: parked('paused', 5 * hourMs), lost: parked('lost', 5 * hourMs) });
    const { counts, findings } = await books.run();
    expect(counts).toMatchObject({ retrying: 2, overdue: 1 });
    expect(findings).toMatchObject([{ endpointId: endpointIdOf('lost'), kind: 'overdue' }]);
  });

  it('reports what waits until a time that has passed, whoever comes for what waits for its endpoint', async () => {
    const books = someBooks({ isAttended: () => Promise.resolve(true) });
    await books.keep(anEvent(), { one: lateRow(3 * hourMs) });
    expect((await books.run()).counts).toMatchObject({ retrying: 1, overdue: 1 });
  });

  it('asks of no endpoint who comes for it before its rows have waited for two hours', async () => {
    const asked: string[] = [];
    const isAttended = (endpointId: string) => {
      asked.push(endpointId);
      return Promise.resolve(false);
    };
    const books = someBooks({ isAttended });
    await books.keep(anEvent(), { new: parked('new', 119 * minuteMs), old: parked('old', 121 * minuteMs) });
    expect((await books.run()).counts).toMatchObject({ retrying: 2, overdue: 1 });
    expect(asked).toEqual([endpointIdOf('old')]);
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
          if (victim !== undefined) await books.ledger.removeByHand(victim.endpointId, victim.eventId);

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
