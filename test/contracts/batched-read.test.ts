import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient, BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBatchedRead } from '../../lambdas/shared/store.ts';
import type { Item } from '../../lambdas/shared/store.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

/** The third are keys of large items that no single answer holds: AWS ends it at 16 MB, dynalite at about 1.4. */
const kinds: [string, () => Promise<Tables>, number][] = [
  ['table', () => Promise.resolve(memoryTables({ now: () => 0 })), 50],
  ['DynamoDB', startTables, 9],
];

describe.each(kinds)('batched reads in %s', (_kind, start, keysOfLarge) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  /** A reader whose requests are counted: how many keys each one asked for. */
  function aCountedRead() {
    const asked: number[] = [];
    const { client, ledger } = tables;
    const counting = {
      send: async (command: BatchGetCommand) => {
        asked.push(command.input.RequestItems?.[ledger]?.Keys?.length ?? 0);
        return client.send(command);
      },
    } as unknown as DynamoDBDocumentClient;
    return { read: makeBatchedRead(counting, ledger), asked };
  }

  async function put(...items: Item[]): Promise<void> {
    for (const Item of items) await tables.client.send(new PutCommand({ TableName: tables.ledger, Item }));
  }

  test('reads made in the same turn travel in one request', async () => {
    await put({ pk: 'turn', sk: 'a', n: 1 }, { pk: 'turn', sk: 'b', n: 2 });
    const { read, asked } = aCountedRead();
    const found = await Promise.all(['b', 'nothing', 'a'].map((sk) => read({ pk: 'turn', sk })));
    expect(found).toEqual([{ pk: 'turn', sk: 'b', n: 2 }, undefined, { pk: 'turn', sk: 'a', n: 1 }]);
    expect(asked).toEqual([3]);
  });

  test('the same key in one batch is asked for once and answered to everyone', async () => {
    await put({ pk: 'same', sk: 'event', n: 1 });
    const { read, asked } = aCountedRead();
    const found = await Promise.all(Array.from({ length: 10 }, () => read({ pk: 'same', sk: 'event' })));
    expect(found).toEqual(Array(10).fill({ pk: 'same', sk: 'event', n: 1 }));
    expect(asked).toEqual([1]);
  });

  test('more than a hundred keys take several requests', async () => {
    const keys = Array.from({ length: 250 }, (_, index) => ({ pk: 'many', sk: String(index) }));
    await put(...keys.filter((_, index) => index % 50 === 0));
    const { read, asked } = aCountedRead();
    const found = await Promise.all(keys.map(read));
    expect(found).toEqual(keys.map((key, index) => (index % 50 === 0 ? key : undefined)));
    expect(asked).toEqual([100, 100, 50]);
  });

  test('keys that are left unprocessed are asked for again until all are there', async () => {
    const keys = Array.from({ length: keysOfLarge }, (_, index) => ({ pk: 'large', sk: String(index) }));
    await put(...keys.map((key) => ({ ...key, text: 'x'.repeat(380_000) })));
    const { read, asked } = aCountedRead();
    const found = await Promise.all(keys.map(read));
    expect(found.map((item) => item?.['sk'])).toEqual(keys.map(({ sk }) => sk));
    expect(asked.length).toBeGreaterThan(1);
    expect(asked[1]).toBeLessThan(keysOfLarge);
  });

  test('a later turn reads anew: nothing is remembered', async () => {
    const { read } = aCountedRead();
    expect(await read({ pk: 'fresh', sk: 'a' })).toBeUndefined();
    await put({ pk: 'fresh', sk: 'a' });
    expect(await read({ pk: 'fresh', sk: 'a' })).toEqual({ pk: 'fresh', sk: 'a' });
  });

  test('when DynamoDB refuses a request, everyone who waits for it learns so, and the next one is made anew', async () => {
    let refusals = 1;
    const failing = {
      send: (command: BatchGetCommand) =>
        refusals-- > 0 ? Promise.reject(new Error('throttled')) : tables.client.send(command),
    } as unknown as DynamoDBDocumentClient;
    const read = makeBatchedRead(failing, tables.ledger);
    const found = await Promise.allSettled([read({ pk: 'p', sk: 'a' }), read({ pk: 'p', sk: 'b' })]);
    expect(found.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await read({ pk: 'p', sk: 'a' })).toBeUndefined();
  });
});
