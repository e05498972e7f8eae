import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { resumed, well } from '../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import { lineMs } from '../../lambdas/endpoint/health/pace.ts';
import { healthKey, makeHealthStore, makeReserve } from '../../lambdas/endpoint/health/store.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import type { MemoryHealth } from '../fakes/health.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.close());

/** As one function opens it; each worker opens its own. */
function over({ client, ledger }: Tables, now: () => number): MemoryHealth {
  return { ...makeHealthStore(client, ledger, now), reserve: makeReserve(client, ledger, now) };
}

const stores: [string, (now: () => number) => () => MemoryHealth][] = [
  [
    'memory',
    (now) => {
      const shared = memoryTables({ now });
      return () => over(shared, now);
    },
  ],
  ['DynamoDB', (now) => () => over(tables, now)],
];

const at = isoTime(testStartMs);
const full: Health = {
  version: 0,
  failures: 9.5,
  failingSince: at,
  lastFailureAt: at,
  warned: 0.5,
  pause: { since: at, until: isoTime(testStartMs + 60_000), seconds: 60, cause: 'failures' },
  graceUntil: at,
  backSince: at,
  slowUntil: at,
  unsaid: [
    { kind: 'paused', at, reason: 'failures', until: at },
    { kind: 'resumed', at },
  ],
  sayAfter: at,
};

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

describe.each(stores)('health in %s', (kind, openAll) => {
  let clock: TestClock;
  let open: () => MemoryHealth;
  let health: MemoryHealth;
  let id: string;
  beforeEach(() => {
    clock = aClock();
    open = openAll(clock.now);
    health = open();
    id = endpointIdOf(`${kind}-${(tests += 1)}`);
  });

  test('an endpoint of which nothing is known is well', async () => {
    expect(await health.read(id)).toEqual(well);
    expect(await health.readLatest(id)).toEqual(well);
  });

  test('what was written is read back, one version further', async () => {
    expect(await health.replace(id, well, full)).toBe(true);
    expect(await health.readLatest(id)).toEqual({ ...full, version: 1 });
    expect(await health.read(id)).toEqual({ ...full, version: 1 });
  });

  test('what no longer holds is gone', async () => {
    await health.replace(id, well, full);
    const before = await health.readLatest(id);
    const after = resumed({ ...before, unsaid: [] }, clock.now());
    expect(await health.replace(id, before, { ...after, backSince: undefined })).toBe(true);
    const { version, failures, warned, graceUntil, unsaid } = { ...after, version: 2 };
    expect(await health.readLatest(id)).toEqual({ version, failures, warned, graceUntil, unsaid });
  });

  test('every endpoint has its own', async () => {
    await health.replace(id, well, full);
    expect(await health.readLatest(endpointIdOf('another'))).toEqual(well);
  });

  test('is written only over the version that was read', async () => {
    await health.replace(id, well, full);
    const first = await health.readLatest(id);
    expect(await health.replace(id, first, { ...first, failures: 1 })).toBe(true);
    for (const stale of [well, first, { ...first, version: 3 }])
      expect(await health.replace(id, stale, { ...first, failures: 2 })).toBe(false);
    expect(await health.readLatest(id)).toMatchObject({ version: 2, failures: 1 });
  });

  test.each([
    ['the first', well],
    ['a later', full],
  ])('of ten workers that write %s version at once, one does', async (_, last) => {
    if (last !== well) await health.replace(id, well, last);
    const before = await health.readLatest(id);
    const written = await Promise.all(
      Array.from({ length: 10 }, (_, worker) => open().replace(id, before, { ...before, failures: worker })),
    );
    expect(written.filter(Boolean)).toHaveLength(1);
    expect(await health.readLatest(id)).toMatchObject({
      version: before.version + 1,
      failures: written.indexOf(true),
    });
  });

  test('forgetting an endpoint of which nothing is known leaves nothing', async () => {
    await health.forget(id);
    expect(await health.readLatest(id)).toEqual(well);
    expect(await health.replace(id, well, full)).toBe(true);
  });

  describe('the line of an endpoint that is held to a pace', () => {
    test('begins now, and gives slots at the pace', async () => {
      const slots = [];
      for (let turn = 0; turn < 4; turn += 1) slots.push(await health.reserve(id, 4));
      expect(slots).toEqual([0, 250, 500, 750].map((ms) => testStartMs + ms));
    });

    test('gives no slot that has passed, and none twice, while time goes on', async () => {
      await health.reserve(id, 1);
      clock.pass(400);
      expect(await health.reserve(id, 1)).toBe(testStartMs + 1_000);
      clock.pass(60_000);
      expect(await health.reserve(id, 1)).toBe(clock.now());
      expect(await health.reserve(id, 1)).toBe(clock.now() + 1_000);
    });

    test('changes its pace with the slots that are still to be given', async () => {
      const slots = [];
      for (const perSecond of [10, 10, 20, 20, 40]) slots.push(await health.reserve(id, perSecond));
      expect(slots).toEqual([0, 100, 200, 250, 300].map((ms) => testStartMs + ms));
    });

    test('is a line of its own for every endpoint', async () => {
      await health.reserve(id, 1);
      expect(await health.reserve(endpointIdOf(`${id}-other`), 1)).toBe(testStartMs);
    });

    test('leaves the health alone, and the health leaves the line', async () => {
      await health.reserve(id, 1);
      expect(await health.readLatest(id)).toEqual(well);
      await health.replace(id, well, full);
      expect(await health.reserve(id, 1)).toBe(testStartMs + 1_000);
    });

    test('is full after 15 minutes, and has room again when time has passed', async () => {
      const slots = [];
      for (let turn = 0; turn < 10; turn += 1) slots.push(await health.reserve(id, 0.01));
      expect(slots).toEqual([...Array.from({ length: 9 }, (_, n) => testStartMs + n * 100_000), undefined]);
      clock.pass(100_000);
      expect(await health.reserve(id, 0.01)).toBe(testStartMs + lineMs);
      expect(await health.reserve(id, 0.01)).toBeUndefined();
    });

    test('gives distinct slots to all who ask at the same moment', async () => {
      const workers = Array.from({ length: 5 }, open);
      const slots = await Promise.all(
        workers.flatMap(({ reserve }) => Array.from({ length: 4 }, () => reserve(id, 10))),
      );
      const sorted = slots.map((slot) => (slot ?? 0) - testStartMs).toSorted((a, b) => a - b);
      expect(sorted).toEqual(Array.from({ length: 20 }, (_, n) => n * 100));
    });

    test('serves several endpoints that are asked for in one turn, each at its own pace', async () => {
      const other = endpointIdOf(`${id}-other`);
      const wanted = [
        health.reserve(id, 1),
        health.reserve(other, 2),
        health.reserve(id, 1),
        health.reserve(other, 2),
      ];
      const slots = (await Promise.all(wanted)).map((slot) => (slot ?? 0) - testStartMs);
      expect(slots).toEqual([0, 0, 1_000, 500]);
    });

    test('spaces its slots whatever the paces and the pauses are', async () => {
      const anAsking = fc.tuple(
        fc.integer({ min: 0, max: 3_000 }),
        fc.double({ min: 0.5, max: 500, noNaN: true }),
      );
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(anAsking, { minLength: 2, maxLength: 15 }), async (askings) => {
          const own = endpointIdOf(`${id}-${(run += 1)}`);
          let freeMs = 0;
          for (const [passMs, perSecond] of askings) {
            clock.pass(passMs);
            const slot = await health.reserve(own, perSecond);
            expect(slot).toBeGreaterThanOrEqual(clock.now() - 0.01);
            expect(slot).toBeGreaterThanOrEqual(freeMs - 0.01);
            freeMs = (slot ?? 0) + 1_000 / perSecond;
          }
        }),
        { numRuns: kind === 'memory' ? 200 : 15 },
      );
    });
  });
});

describe('health in DynamoDB alone', () => {
  const open = () => over(tables, () => testStartMs);
  const itemOf = async (id: string) =>
    (await tables.client.send(new GetCommand({ TableName: tables.ledger, Key: healthKey(id) }))).Item;

  test('has no end while its endpoint lives', async () => {
    const id = endpointIdOf('lives');
    await open().replace(id, well, full);
    expect(await itemOf(id)).not.toHaveProperty('expiresAt');
  });

  test('that is forgotten is gone a day later, and of an unknown endpoint nothing is written', async () => {
    const [id, unknown] = [endpointIdOf('forgotten'), endpointIdOf('unknown')];
    await open().replace(id, well, full);
    await open().forget(id);
    await open().forget(unknown);
    expect(await itemOf(id)).toMatchObject({ expiresAt: testStartMs / 1000 + 86_400 });
    expect(await itemOf(unknown)).toBeUndefined();
  });

  test('reservations for one endpoint in the same turn are one write', async () => {
    const send = vi.spyOn(tables.client, 'send');
    const { reserve } = open();
    const id = endpointIdOf('one write');
    // The line is there: who makes it needs a second write.
    await reserve(id, 10);
    send.mockClear();
    await Promise.all(Array.from({ length: 10 }, () => reserve(id, 10)));
    const writes = send.mock.calls.filter(([command]) => command instanceof UpdateCommand);
    send.mockRestore();
    expect(writes).toHaveLength(1);
  });

  test('a fault of the table fails all who asked for a slot, and the next ones get theirs', async () => {
    const { reserve } = open();
    const id = endpointIdOf('fault');
    const send = vi.spyOn(tables.client, 'send').mockRejectedValueOnce(new Error('the table is away'));
    const asked = await Promise.allSettled([reserve(id, 10), reserve(id, 10)]);
    send.mockRestore();
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await reserve(id, 10)).toBe(testStartMs);
  });

  test('reads of one turn travel together', async () => {
    const send = vi.spyOn(tables.client, 'send');
    const { read } = open();
    const ids = ['a', 'b', 'c', 'a'].map(endpointIdOf);
    expect(await Promise.all(ids.map((id) => read(id)))).toEqual([well, well, well, well]);
    const calls = send.mock.calls.length;
    send.mockRestore();
    expect(calls).toBe(1);
  });
});
