import {
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { aClock } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import type { MemoryTables } from '../fakes/table/memory-tables.ts';
import type { ObservedRequest } from '../fakes/table/units.ts';

/** What the table in memory has, and dynalite has not. */
let clock: TestClock;
let tables: MemoryTables;
let seen: ObservedRequest[];
const lags = { index: 0, read: 0 };
beforeEach(() => {
  clock = aClock();
  seen = [];
  Object.assign(lags, { index: 0, read: 0 });
  tables = memoryTables({
    now: clock.now,
    indexLagMs: () => lags.index,
    readLagMs: () => lags.read,
    observe: (request) => seen.push(request),
  });
});

const TableName = 'ledger';
const Key = { pk: 'p', sk: 's' };
const dead = { ...Key, statusKey: 'dead', eventId: 'e1' };
const put = (Item: Record<string, unknown>) => tables.client.send(new PutCommand({ TableName, Item }));
const get = async (ConsistentRead: boolean) =>
  (await tables.client.send(new GetCommand({ TableName, Key, ConsistentRead }))).Item;
const listDead = async () => {
  const found = await tables.client.send(
    new QueryCommand({
      ...{ TableName, IndexName: 'byStatus', KeyConditionExpression: 'statusKey = :dead' },
      ExpressionAttributeValues: { ':dead': 'dead' },
    }),
  );
  return found.Items;
};
const costs = () => seen.map(({ readUnits, writeUnits }) => readUnits + writeUnits);

describe('behind', () => {
  test('an index shows the table as it was', async () => {
    lags.index = 100;
    await put(dead);
    expect(await listDead()).toEqual([]);
    clock.pass(99);
    await put(Key);
    expect(await listDead()).toEqual([]);
    clock.pass(1);
    expect(await listDead()).toEqual([dead]);
    clock.pass(99);
    expect(await listDead()).toEqual([]);
  });

  test('a read without strong consistency sees what was, and one with it what is', async () => {
    lags.read = 10;
    await put({ ...Key, n: 1 });
    clock.pass(10);
    await put({ ...Key, n: 2 });
    expect([await get(false), await get(true)]).toEqual([
      { ...Key, n: 1 },
      { ...Key, n: 2 },
    ]);
    clock.pass(10);
    expect(await get(false)).toEqual({ ...Key, n: 2 });
  });
});

test('what is past its time stays until it is swept, from the indexes too', async () => {
  await put({ ...dead, expiresAt: 100 });
  expect(tables.sweep(99_999)).toBe(0);
  expect(await listDead()).toHaveLength(1);
  expect(tables.sweep(100_000)).toBe(1);
  expect([await get(true), await listDead()]).toEqual([undefined, []]);
});

test('whoever changes what he has put or got changes nothing in the table', async () => {
  const item = { ...Key, list: [{ n: 1 }], bytes: Uint8Array.of(1) };
  await put(item);
  item.list.push({ n: 2 });
  item.bytes.set([9]);
  const found = await get(true);
  expect(found).toEqual({ ...Key, list: [{ n: 1 }], bytes: Uint8Array.of(1) });
  Object.assign(found ?? {}, { list: [] });
  expect(await get(true)).toEqual({ ...Key, list: [{ n: 1 }], bytes: Uint8Array.of(1) });
});

describe('a request is observed with what it costs', () => {
  test('a write by the KB of the larger item, and an index only when it changes', async () => {
    await put({ ...Key, text: 'x'.repeat(2_000) });
    await put(dead);
    await put({ ...dead, hidden: 1 });
    await put({ ...dead, reason: 'gone' });
    await put({ ...dead, statusKey: 'discarded' });
    await put(Key);
    // The larger of both; put into the index; not projected; projected; deleted and put; deleted.
    expect(costs()).toEqual([2, 3, 1, 2, 3, 2]);
    expect(seen[4]).toMatchObject({ operation: 'PutItem', indexWriteUnits: { byStatus: 2 } });
  });

  test('a condition that fails costs a write', async () => {
    const ConditionExpression = 'attribute_exists(pk)';
    const UpdateExpression = 'REMOVE n';
    const update = new UpdateCommand({ TableName, Key, UpdateExpression, ConditionExpression });
    await expect(tables.client.send(update)).rejects.toThrow('conditional');
    expect(seen).toMatchObject([{ writeUnits: 1, isConditionFailed: true }]);
  });

  test('a write of a transaction costs twice as much, also when it is cancelled', async () => {
    const ConditionExpression = 'attribute_not_exists(pk)';
    const add = (Item: Record<string, unknown>) => ({ Put: { TableName, Item, ConditionExpression } });
    const together = new TransactWriteCommand({
      TransactItems: [add(dead), add({ ...Key, sk: 'other', text: 'x'.repeat(2_000) })],
    });
    await tables.client.send(together);
    await expect(tables.client.send(together)).rejects.toThrow('cancelled');
    // The first one is put into an index, which costs a write as ever.
    expect(costs()).toEqual([3, 4, 2, 4]);
    expect(seen.map(({ isConditionFailed }) => isConditionFailed)).toEqual([false, false, true, true]);
  });

  test('a read by 4 KB, and half without strong consistency', async () => {
    await put({ ...Key, text: 'x'.repeat(5_000) });
    seen = [];
    await get(true);
    await get(false);
    await listDead();
    expect(costs()).toEqual([2, 1, 0.5]);
    expect(seen[2]).toMatchObject({ operation: 'Query', index: 'byStatus', items: 0 });
  });

  test('names and values are counted as DynamoDB counts them', async () => {
    await put({ ...Key, ü: 'ü', n: 1_200, m: { a: true, b: [null] } });
    // pk and sk 6, ü 4, n 1 + 2, m 1 + 3 + 2, a 1 + 1, b 1 + 3 + 1 + 1.
    expect(seen).toMatchObject([{ bytes: 27 }]);
  });
});

test('what the table does not know it refuses', async () => {
  await expect(tables.client.send(new ScanCommand({ TableName }))).rejects.toThrow('ScanCommand');
  const odd = new PutCommand({ TableName, Item: Key, ReturnConsumedCapacity: 'TOTAL' });
  await expect(tables.client.send(odd)).rejects.toThrow('ReturnConsumedCapacity');
  await expect(put({ ...Key, set: new Set(['a']) })).rejects.toThrow('Unsupported type');
  const ConditionCheck = { TableName, Key, ConditionExpression: 'attribute_exists(pk)' };
  const checked = new TransactWriteCommand({ TransactItems: [{ ConditionCheck }] });
  await expect(tables.client.send(checked)).rejects.toThrow('ConditionCheck');
  const nested = new UpdateCommand({ TableName, Key, UpdateExpression: 'REMOVE a.b' });
  await expect(tables.client.send(nested)).rejects.toThrow('updates of a part');
  const elsewhere = new GetCommand({ TableName: 'elsewhere', Key });
  await expect(tables.client.send(elsewhere)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});
