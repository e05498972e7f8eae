import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { resumed, well } from '../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import { observe } from '../../lambdas/endpoint/health/observe.ts';
import { healthKey, makeHealthStore } from '../../lambdas/endpoint/health/store.ts';
import { effectivePolicy } from '../../lambdas/organization/policy.ts';
import { makeReadWaiting } from '../../lambdas/recovery/waiting/store.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { dueAt } from '../../lambdas/shared/waiting.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

const at = (ms: number) => isoTime(testStartMs + ms);
const organizationId = 'org_1';
const backlog = {
  ...{ turn: 3, pass: 2, gate: 'gate', through: 'place', sentAt: at(1), clock: at(2) },
  ...{ leftovers: 1, emptyAt: at(3), dueAt: at(3_600_000) },
};
const full: Health = {
  version: 0,
  organizationId,
  failures: 9.5,
  failingSince: at(0),
  lastFailureAt: at(0),
  warned: 0.5,
  pause: { since: at(0), until: at(60_000), seconds: 60, cause: 'failures', asked: at(1), probing: true },
  graceUntil: at(0),
  backSince: at(0),
  slow: { ms: 700, at: at(0) },
  backlog,
  unsaid: [
    { kind: 'paused', at: at(0), reason: 'failures', until: at(60_000) },
    { kind: 'resumed', at: at(0) },
  ],
  sayAfter: at(40_000),
};

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

describe.each(kinds)('health in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let health: ReturnType<typeof makeHealthStore>;
  let id: string;
  const open = () => makeHealthStore(tables.client, tables.ledger, clock.now);
  beforeEach(() => {
    clock = aClock();
    health = open();
    id = endpointIdOf(`${kind}-${(tests += 1)}`);
  });
  const itemOf = async (endpointId = id) => {
    const Key = healthKey(endpointId);
    return (await tables.client.send(new GetCommand({ TableName: tables.ledger, Key }))).Item;
  };
  /** Where whoever comes every minute finds the endpoint, by the index; nothing when he does not. */
  const placesOf = async (endpointId = id) => {
    const { list } = makeReadWaiting(tables.client, tables.ledger, clock.now);
    const { waiting: partition } = dueAt(0, endpointId);
    const { rows } = await list({ partition, after: undefined, through: '~' }, 1_000);
    return rows.filter((row) => row.endpointId === endpointId);
  };
  const foundAt = (timeMs: number) => [
    { organizationId, endpointId: id, waitingAt: `${isoTime(timeMs)}#${id}` },
  ];

  test('of an endpoint of which nothing is known is well', async () => {
    expect(await health.read(id)).toEqual(well);
    expect(await health.readLatest(id)).toEqual(well);
  });

  test('that was written is read back, one version further', async () => {
    expect(await health.replace(id, well, full)).toBe(true);
    expect(await health.readLatest(id)).toEqual({ ...full, version: 1 });
    expect(await health.read(id)).toEqual({ ...full, version: 1 });
  });

  test('forgets what no longer holds', async () => {
    await health.replace(id, well, full);
    const before = await health.readLatest(id);
    const { backlog: emptied, ...after } = resumed({ ...before, unsaid: [] }, clock.now());
    expect(await health.replace(id, before, { ...after, unsaid: [] })).toBe(true);
    expect(await health.readLatest(id)).toEqual({ ...after, unsaid: [], version: 2 });
    expect(emptied).toBeDefined();
    expect(await placesOf()).toEqual([]);
  });

  test('is each endpoint’s own', async () => {
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

  test('of one batch is read by one call', async () => {
    const send = vi.spyOn(tables.client, 'send');
    const { read } = open();
    const ids = ['a', 'b', 'c', 'a'].map((name) => endpointIdOf(`${id}-${name}`));
    expect(await Promise.all(ids.map((one) => read(one)))).toEqual([well, well, well, well]);
    const calls = send.mock.calls.length;
    send.mockRestore();
    expect(calls).toBe(1);
  });

  test('has no end while its endpoint lives', async () => {
    await health.replace(id, well, full);
    expect(await itemOf()).not.toHaveProperty('expiresAt');
  });

  describe('is found by whoever comes every minute', () => {
    const calm: Health = { ...well, organizationId };
    const notice = { kind: 'paused' as const, at: at(0) };
    const dueIn = (ms: number) => ({ backlog: { ...backlog, dueAt: at(ms) } });
    // He has looked a minute ahead: what is due sooner than in two has a message, and is found when that was lost.
    test.each<[string, Partial<Health>, number]>([
      ['when its rows are due', dueIn(3_600_000), 3_600_000],
      ['in two minutes, when its rows are due sooner', dueIn(119_999), 120_000],
      ['in two minutes, when its rows were due before', dueIn(-60_000), 120_000],
      ['in two minutes, to say what is unsaid', { unsaid: [notice] }, 120_000],
      ['when nobody else is saying it any more', { unsaid: [notice], sayAfter: at(200_000) }, 200_000],
      ['for what comes first', { ...dueIn(3_600_000), unsaid: [notice], sayAfter: at(200_000) }, 200_000],
      [
        'for its rows, if they come first',
        { ...dueIn(150_000), unsaid: [notice], sayAfter: at(2e5) },
        150_000,
      ],
    ])('%s', async (_, given, ms) => {
      await health.replace(id, well, { ...calm, ...given });
      expect(await placesOf()).toEqual(foundAt(testStartMs + ms));
    });

    test('not, when nothing waits and nothing is unsaid, though somebody was to say it', async () => {
      await health.replace(id, well, { ...calm, sayAfter: at(200_000), slow: { ms: 600, at: at(0) } });
      expect(await placesOf()).toEqual([]);
    });

    test('at one place, which moves with it', async () => {
      await health.replace(id, well, { ...calm, ...dueIn(200_000) });
      const before = await health.readLatest(id);
      await health.replace(id, before, { ...before, ...dueIn(300_000) });
      expect(await placesOf()).toEqual(foundAt(testStartMs + 300_000));
    });
  });

  describe('that is forgotten', () => {
    test('is gone a day later, when nothing waits', async () => {
      await health.replace(id, well, { ...full, backlog: undefined, unsaid: [] });
      await health.forget(id);
      expect(await itemOf()).toMatchObject({ expiresAt: testStartMs / 1000 + 86_400 });
    });

    test('stays while rows wait, which are looked after now', async () => {
      await health.replace(id, well, full);
      clock.pass(10_000);
      await health.forget(id);
      expect(await itemOf()).not.toHaveProperty('expiresAt');
      const dueNow = { ...backlog, dueAt: at(10_000) };
      expect(await health.readLatest(id)).toEqual({ ...full, version: 2, backlog: dueNow });
      expect(await placesOf()).toEqual(foundAt(testStartMs + 130_000));
    });

    test('is not brought back as it was by whoever had read it before', async () => {
      await health.replace(id, well, full);
      const before = await health.readLatest(id);
      await health.forget(id);
      expect(await health.replace(id, before, { ...before, failures: 0 })).toBe(false);
      expect((await health.readLatest(id)).backlog?.dueAt).toBe(at(0));
    });

    test('is gone a day after its rows have ended', async () => {
      await health.replace(id, well, full);
      await health.forget(id);
      const before = await health.readLatest(id);
      await health.replace(id, before, { ...before, backlog: undefined });
      await health.forget(id);
      expect(await itemOf()).toMatchObject({ expiresAt: testStartMs / 1000 + 86_400 });
    });

    const soon = testStartMs / 1000 + 86_400;

    test.each([
      ['something was known', { ...full, backlog: undefined, unsaid: [] }],
      ['nothing was known', undefined],
    ])('ends though an attempt that began before notes something later, when %s', async (_, known) => {
      if (known !== undefined) await health.replace(id, well, known);
      const before = await health.readLatest(id);
      await health.forget(id);
      clock.pass(30_000);
      // Whoever has read it before finds that he was overtaken, and reads again.
      expect(await health.replace(id, before, { ...before, failures: 1 })).toBe(false);
      for (const policy of [{}, { circuitBreaker: null }]) {
        const latest = await health.readLatest(id);
        const circumstances = { policy: effectivePolicy(policy, {}), nowMs: clock.now() };
        const failed = { kind: 'failure', isThrottle: false, retryAfterMs: 0, isProbe: false } as const;
        const after = observe(latest, { ...failed, durationMs: 600 }, circumstances);
        expect(await health.replace(id, latest, after)).toBe(true);
        expect(await itemOf()).toMatchObject({ expiresAt: soon });
      }
      const latest = await health.readLatest(id);
      expect(await health.replace(id, latest, resumed(latest, clock.now()))).toBe(true);
      expect(await itemOf()).toMatchObject({ expiresAt: soon });
    });

    test('has no end while a row is there that was parked later, and ends with it', async () => {
      await health.forget(id);
      const before = await health.readLatest(id);
      await health.replace(id, before, { ...before, organizationId, backlog });
      expect(await itemOf()).not.toHaveProperty('expiresAt');
      const parked = await health.readLatest(id);
      await health.replace(id, parked, { ...parked, backlog: undefined });
      await health.forget(id);
      expect(await itemOf()).toMatchObject({ expiresAt: soon });
    });
  });
});
