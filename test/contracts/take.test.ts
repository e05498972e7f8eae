import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { well } from '../../lambdas/endpoint/health/health.ts';
import type { Take } from '../../lambdas/endpoint/health/pace.ts';
import { makeTake } from '../../lambdas/endpoint/health/pace/store.ts';
import { makeHealthStore } from '../../lambdas/endpoint/health/store.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;
const minuteMs = 60_000;

describe.each(kinds)('leave for an endpoint that is held to a pace, in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let take: Take;
  let id: string;
  /** As one function opens it; each has its own memory. */
  const open = (now = clock.now) => makeTake(tables.client, tables.ledger, now);
  beforeEach(() => {
    clock = aClock();
    take = open();
    id = endpointIdOf(`take-${kind}-${(tests += 1)}`);
  });

  /** How many of so many go who ask at once. */
  const many = async (by: Take, count: number, perSecond: number): Promise<number> => {
    const asked = await Promise.all(Array.from({ length: count }, () => by(id, perSecond)));
    // First come, first served.
    const granted = asked.filter(Boolean).length;
    expect(asked.slice(0, granted)).not.toContain(false);
    return granted;
  };
  const commandsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    const send = vi.spyOn(tables.client, 'send');
    await work();
    const commands = send.mock.calls.map(([command]) => command.constructor.name);
    send.mockRestore();
    return commands;
  };
  const item = async () => {
    const Key = { pk: `ENDPOINT#${id}`, sk: 'PACE' };
    return (await tables.client.send(new GetCommand({ TableName: tables.ledger, Key }))).Item;
  };

  test('is given at once to as many as two seconds have, and no more', async () => {
    expect(await many(take, 100, 10)).toBe(20);
    expect(await many(take, 100, 10)).toBe(0);
  });

  test('is given as time goes on, at the pace', async () => {
    await many(take, 100, 10);
    const granted: number[] = [];
    for (let second = 0; second < 10; second += 1) {
      clock.pass(1_000);
      granted.push(await many(take, 100, 10));
    }
    expect(granted.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(98);
    expect(Math.max(...granted)).toBe(10);
  });

  test('that was not taken is kept for two seconds, and no longer', async () => {
    await take(id, 10);
    clock.pass(3_600_000);
    expect(await many(take, 100, 10)).toBe(20);
  });

  test('at one a minute and a half is given to one, and to the next a minute and a half later', async () => {
    const perSecond = 1 / 90;
    expect(await many(take, 5, perSecond)).toBe(1);
    // Five seconds too early is not too early.
    clock.pass(85_000);
    expect(await many(take, 5, perSecond)).toBe(0);
    clock.pass(1_000);
    expect(await many(take, 5, perSecond)).toBe(1);
  });

  test('changes its pace with what is still to be given', async () => {
    expect(await many(take, 100, 1)).toBe(2);
    clock.pass(1_000);
    expect(await many(take, 100, 100)).toBeGreaterThan(90);
  });

  test('is each endpoint’s own, and leaves its health alone', async () => {
    await many(take, 100, 10);
    expect(await take(endpointIdOf(`${id}-other`), 10)).toBe(true);
    const health = makeHealthStore(tables.client, tables.ledger, clock.now);
    expect(await health.readLatest(id)).toEqual(well);
  });

  test('is asked for several endpoints in one turn, each at its own pace', async () => {
    const other = endpointIdOf(`${id}-other`);
    const asked = Array.from({ length: 30 }, () => [take(id, 10), take(other, 1)]).flat();
    const answers = await Promise.all(asked);
    expect(answers.filter((isLet, index) => index % 2 === 0 && isLet)).toHaveLength(20);
    expect(answers.filter((isLet, index) => index % 2 === 1 && isLet)).toHaveLength(2);
  });

  test('costs one write for all that ask in one turn', async () => {
    await take(id, 100);
    expect(await commandsOf(() => many(take, 10, 100))).toEqual(['UpdateCommand']);
  });

  test('that cannot be given costs nothing: the time only moves ahead', async () => {
    await many(take, 100, 10);
    expect(await commandsOf(() => many(take, 100, 10))).toEqual([]);
  });

  test('is given to two functions together as to one', async () => {
    const other = open();
    const granted = await Promise.all([many(take, 30, 10), many(other, 30, 10)]);
    expect(granted[0] + granted[1]).toBe(20);
    clock.pass(1_000);
    const later = await Promise.all([many(take, 30, 10), many(other, 30, 10)]);
    expect(later[0] + later[1]).toBeGreaterThanOrEqual(9);
    expect(later[0] + later[1]).toBeLessThanOrEqual(10);
  });

  test('of a function whose clock is behind takes nothing back', async () => {
    await many(take, 100, 10);
    const before = await item();
    const late = open(() => clock.now() - 60_000);
    expect(await many(late, 100, 10)).toBe(0);
    clock.pass(1_000);
    await many(take, 100, 10);
    await many(late, 100, 10);
    expect(Number((await item())?.['nextMs'])).toBeGreaterThan(Number(before?.['nextMs']));
  });

  test('is given though the item was deleted since, as DynamoDB does a day later', async () => {
    await many(take, 100, 10);
    expect((await item())?.['expiresAt']).toBe(testStartMs / 1000 + 86_400);
    const Key = { pk: `ENDPOINT#${id}`, sk: 'PACE' };
    await tables.client.send(new DeleteCommand({ TableName: tables.ledger, Key }));
    clock.pass(2 * 86_400_000);
    expect(await take(id, 10)).toBe(true);
  });

  test('is not given to whoever is overtaken each time, and that is no fault', async () => {
    const overtaken = new ConditionalCheckFailedException({ message: 'overtaken', $metadata: {} });
    let writes = 0;
    const send = (command: unknown) => {
      if (command instanceof GetCommand) return tables.client.send(command);
      writes += 1;
      return Promise.reject(overtaken);
    };
    const rivalled = { send } as unknown as DynamoDBDocumentClient;
    expect(await makeTake(rivalled, tables.ledger, clock.now)(id, 10)).toBe(false);
    expect(writes).toBe(4);
    expect(await take(id, 10)).toBe(true);
  });

  test('cannot be had while the table is away; then it can', async () => {
    const send = vi.spyOn(tables.client, 'send').mockImplementation(() => {
      throw new Error('the table is away');
    });
    const asked = await Promise.allSettled([take(id, 10), take(id, 10)]);
    send.mockRestore();
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await take(id, 10)).toBe(true);
  });

  // What a policy promises the receiver, whoever asks and whenever.
  test('is never given above the pace over any ten minutes', async () => {
    const aStep = fc.record({
      passMs: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 3 * minuteMs })),
      count: fc.integer({ min: 1, max: 60 }),
      worker: fc.nat(1),
    });
    const aPace = fc.oneof(fc.constantFrom(0.01, 0.1, 1, 7), fc.double({ min: 0.002, max: 20, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(aPace, fc.array(aStep, { minLength: 5, maxLength: 40 }), async (perSecond, steps) => {
        id = endpointIdOf(`take-${kind}-${(tests += 1)}`);
        const workers = [open(), open()] as const;
        const given: number[] = [];
        for (const { passMs, count, worker } of steps) {
          clock.pass(passMs);
          const granted = await many(workers[worker === 0 ? 0 : 1], count, perSecond);
          given.push(...Array.from({ length: granted }, () => clock.now()));
        }
        const most = given.map(
          (from) => given.filter((ms) => ms >= from && ms < from + 10 * minuteMs).length,
        );
        expect(Math.max(1, ...most)).toBeLessThanOrEqual(Math.ceil(perSecond * 600));
      }),
      { numRuns: kind === 'memory' ? 200 : 10 },
    );
  });
});
