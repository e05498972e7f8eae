import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import { well } from '../../lambdas/endpoint/health/health.ts';
import type { ReadWaiting, Stretch } from '../../lambdas/recovery/waiting/row.ts';
import { makeRoundsStore } from '../../lambdas/recovery/wake/store.ts';
import { noRounds } from '../../lambdas/recovery/wake/rounds.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { behind, dueAt, endpointPartition } from '../../lambdas/shared/waiting.ts';
import { aDelivered, aDelivery } from '../fakes/a-delivery.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { memoryHealth } from '../fakes/health.ts';
import { endpointIdOf, eventIdOf } from '../fakes/ids.ts';
import { memoryLedger } from '../fakes/ledger.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

describe.each(kinds)('what waits, in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let ledger: MemoryLedger;
  let waiting: ReadWaiting;
  let endpointId: string;
  let all: Stretch;
  beforeEach(() => {
    clock = aClock();
    ledger = memoryLedger(clock.now, tables);
    ({ waiting } = ledger);
    endpointId = endpointIdOf(`waiting-${kind}-${(tests += 1)}`);
    all = { partition: endpointPartition(endpointId), after: undefined, through: '~' };
  });

  const row = (name: string, ms: number, given: Partial<Delivery> = {}): Delivery => {
    const eventId = eventIdOf(name);
    const { nextAttemptAt, ...delivery } = aDelivery({ endpointId, eventId, ...given });
    return { ...delivery, ...behind(endpointId, eventId, testStartMs + ms) };
  };
  /** Rows of these names, each so many milliseconds after the start as it stands in the list. */
  const park = async (...names: readonly string[]): Promise<Delivery[]> => {
    const rows = names.map((name, index) => row(name, index));
    for (const one of rows) await ledger.rewrite(one);
    return rows;
  };
  const namesIn = async (stretch: Stretch, countMax = 100) => {
    const { rows, ...rest } = await waiting.list(stretch, countMax);
    return { names: rows.map(({ eventId }) => eventId), ...rest };
  };
  const idsOf = (...names: readonly string[]) => names.map((name) => eventIdOf(name));
  const placeAt = (ms: number, name: string) => `${isoTime(testStartMs + ms)}#${eventIdOf(name)}`;

  test('is shown as its message needs it, and no more', async () => {
    await ledger.rewrite(row('a', 0, { round: 3, roundStart: 2, attemptCount: 2, trigger: 'manual' }));
    const { rows } = await waiting.list(all, 10);
    const {
      organizationId,
      eventId,
      eventType,
      status,
      round,
      attemptCount,
      lastError,
      waitingAt,
      expiresAt,
    } = row('a', 0, { round: 3, attemptCount: 2 });
    expect(rows).toEqual([
      {
        ...{ organizationId, endpointId, eventId, eventType, status, round, attemptCount, lastError },
        ...{ waitingAt, expiresAt },
      },
    ]);
  });

  test('is listed in the order in which it came, of one endpoint', async () => {
    await ledger.rewrite({ ...row('other', 0), endpointId: endpointIdOf('other') });
    await park('c', 'a', 'b');
    expect((await namesIn(all)).names).toContain(eventIdOf('a'));
    expect((await namesIn(all)).names.filter((name) => name !== eventIdOf('other'))).toEqual(
      idsOf('c', 'a', 'b'),
    );
  });

  test('is listed from after a place, up to one that is among it', async () => {
    await park('a', 'b', 'c', 'd');
    const stretch = { ...all, after: placeAt(0, 'a'), through: placeAt(2, 'c') };
    expect((await namesIn(stretch)).names).toEqual(idsOf('b', 'c'));
    expect(await waiting.count(stretch, 100)).toBe(2);
    // A time is before all that stand at it, so it is the end of one stretch and the beginning of the next.
    const byTime = { ...all, after: isoTime(testStartMs + 1), through: isoTime(testStartMs + 3) };
    expect((await namesIn(byTime)).names).toEqual(idsOf('b', 'c'));
    expect(await waiting.count(byTime, 100)).toBe(2);
  });

  test('is none where a stretch ends before it begins, as another clock may measure it', async () => {
    await park('a', 'b');
    const place = placeAt(1, 'b');
    for (const through of [place, isoTime(testStartMs), ' ']) {
      const stretch = { ...all, after: place, through };
      expect(await namesIn(stretch)).toEqual({ names: [], through: place, isLast: true });
      expect(await waiting.count(stretch, 100)).toBe(0);
    }
  });

  test('is paged without a gap, and says where a page ended', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    await park(...names);
    const found: unknown[] = [];
    let after: string | undefined;
    for (let pages = 0; ; pages += 1) {
      const page = await namesIn({ ...all, after }, 2);
      found.push(...page.names);
      after = page.through;
      if (page.isLast) break;
      expect([pages < 4, page.names.length]).toEqual([true, 2]);
    }
    expect(found).toEqual(idsOf(...names));
    expect(after).toBe(placeAt(4, 'e'));
  });

  test('ends where nothing is, at the place from which it was asked for', async () => {
    expect(await namesIn(all)).toEqual({ names: [], through: undefined, isLast: true });
    await park('a');
    const after = placeAt(0, 'a');
    expect(await namesIn({ ...all, after })).toEqual({ names: [], through: after, isLast: true });
  });

  test('and is past its time, is passed over, and not looked at again', async () => {
    const expiresAt = testStartMs / 1000 + 60;
    await ledger.rewrite(row('old', 0, { expiresAt }));
    await ledger.rewrite(row('older', 1, { expiresAt: expiresAt - 1 }));
    await ledger.rewrite(row('young', 2, { expiresAt: expiresAt + 1 }));
    expect((await namesIn(all)).names).toEqual(idsOf('old', 'older', 'young'));
    clock.pass(60_000);
    expect(await waiting.count(all, 100)).toBe(1);
    expect(await namesIn(all, 1)).toEqual({
      ...{ names: idsOf('young'), through: placeAt(2, 'young') },
      isLast: true,
    });
    clock.pass(1_000);
    // The last place that was looked at, though nothing that stands there is shown.
    expect(await namesIn(all)).toEqual({ names: [], through: placeAt(2, 'young'), isLast: true });
    expect(await waiting.count(all, 100)).toBe(0);
  });

  test('is counted as far as asked for, at least', async () => {
    await park('a', 'b', 'c');
    expect(await waiting.count(all, 100)).toBe(3);
    expect(await waiting.count({ ...all, through: placeAt(1, 'b') }, 100)).toBe(2);
    expect(await waiting.count(all, 1)).toBeGreaterThanOrEqual(1);
  });

  test('is no more when its outcome is recorded, and stands elsewhere when it waits for another reason', async () => {
    await park('a', 'b');
    await ledger.record(aDelivered({ endpointId, eventId: eventIdOf('a'), attemptCount: 2 }));
    expect((await namesIn(all)).names).toEqual(idsOf('b'));
    const { waiting: partition, waitingAt } = dueAt(testStartMs + 3_600_000, endpointId, eventIdOf('b'));
    await ledger.record(
      aDelivery({ endpointId, eventId: eventIdOf('b'), attemptCount: 2, waiting: partition, waitingAt }),
    );
    expect((await namesIn(all)).names).toEqual([]);
    const { rows } = await waiting.list({ partition, after: undefined, through: '~' }, 1_000);
    expect(rows.filter((one) => one.endpointId === endpointId)).toMatchObject([{ waitingAt }]);
  });

  test('may be an endpoint that somebody must look after', async () => {
    const health = memoryHealth(clock.now, tables);
    const backlog = { turn: 0, pass: 1, dueAt: isoTime(testStartMs + 3_600_000) };
    await health.replace(endpointId, well, { ...well, organizationId: 'org_1', backlog });
    const { waiting: partition, waitingAt } = dueAt(testStartMs + 3_600_000, endpointId);
    const { rows } = await waiting.list({ partition, after: undefined, through: '~' }, 1_000);
    const own = rows.filter((one) => one.endpointId === endpointId);
    expect(own).toEqual([{ organizationId: 'org_1', endpointId, waitingAt }]);
    expect(await waiting.count({ partition, after: undefined, through: '~' }, 1_000)).toBe(rows.length);
  });

  // A page of a Query holds so much at most: of a million rows not all are read to count some.
  test('is not counted further than is asked for, nor listed', async () => {
    const names = Array.from({ length: 1_050 }, (_, index) => String(index));
    await Promise.all(names.map((name, index) => ledger.rewrite(row(name, index))));
    const send = vi.spyOn(tables.client, 'send');
    expect(await waiting.count(all, 10)).toBe(1_000);
    expect(send.mock.calls).toHaveLength(1);
    expect((await waiting.list(all, 10)).rows).toHaveLength(10);
    expect(send.mock.calls).toHaveLength(2);
    send.mockRestore();
    expect(await waiting.count(all, 5_000)).toBe(1_050);
    expect((await namesIn(all, 5_000)).names).toEqual(idsOf(...names));
  });
});

describe.each(kinds)('how far whoever comes every minute has come, in %s', (_kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  test('is written over the version that was read, by one of many', async () => {
    const rounds = makeRoundsStore(tables.client, tables.ledger);
    expect(await rounds.read()).toEqual(noRounds);
    const first = { ...noRounds, version: 1, leaseUntil: isoTime(testStartMs) };
    const begun = await Promise.all([rounds.replace(noRounds, first), rounds.replace(noRounds, first)]);
    expect(begun.filter(Boolean)).toHaveLength(1);
    expect(await rounds.read()).toEqual(first);

    const through = { 'DUE#00': isoTime(testStartMs), 'DUE#15': ' ' };
    const second = { version: 2, through, secondThrough: { 'DUE#00': ' ' } };
    expect(await rounds.replace({ ...first, version: 3 }, second)).toBe(false);
    expect(await rounds.replace(first, second)).toBe(true);
    // The lease is over.
    expect(await rounds.read()).toEqual(second);
    for (const stale of [noRounds, first]) expect(await rounds.replace(stale, first)).toBe(false);
    expect(await rounds.read()).toEqual(second);
  });
});
