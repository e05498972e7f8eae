import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeHang } from '../../lambdas/endpoint/health/hanging/store.ts';
import type { Hang } from '../../lambdas/endpoint/health/slow.ts';
import { aClock } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

describe.each(kinds)('the attempts that an endpoint leaves without an answer, in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let hang: Hang;
  let id: string;
  beforeEach(() => {
    clock = aClock();
    hang = makeHang(tables.client, tables.ledger, clock.now);
    id = endpointIdOf(`hang-${kind}-${(tests += 1)}`);
  });
  const waitFor = (attemptId: string, ms = 15_000) => hang(id, attemptId, clock.now() + ms);

  test('are counted together, whoever asks at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, index) => waitFor(`attempt-${index}`)));
    expect(all.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
  });

  test('are counted for each endpoint by itself', async () => {
    await waitFor('one');
    const { count } = await hang(endpointIdOf(`hang-other-${kind}`), 'two', clock.now() + 15_000);
    expect(count).toBe(1);
  });

  test('are no longer counted when they have ended, in whichever order', async () => {
    const [one, two] = [await waitFor('one'), await waitFor('two')];
    await two.end();
    expect((await waitFor('three')).count).toBe(2);
    await one.end();
    await one.end();
    expect((await waitFor('four')).count).toBe(2);
  });

  test('of a function that has died are counted until their timeout, and then leave the table', async () => {
    await waitFor('dead', 1_000);
    clock.pass(999);
    expect((await waitFor('alive')).count).toBe(2);
    clock.pass(1);
    const late = await waitFor('late');
    expect(late.count).toBe(2);
    await late.end();
    const { Item } = await tables.client.send(
      new GetCommand({ TableName: tables.ledger, Key: { pk: `ENDPOINT#${id}`, sk: 'HANGING' } }),
    );
    expect(Object.keys(Item ?? {}).toSorted()).toEqual(['expiresAt', 'hangs alive', 'pk', 'sk']);
  });
});
