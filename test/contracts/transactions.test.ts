import { TransactWriteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

describe.each(kinds)('a transaction in %s', (_kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  const TableName = 'ledger';
  const ConditionExpression = 'attribute_not_exists(pk)';
  const keyOf = (sk: string) => ({ pk: 'p', sk });
  const put = (sk: string, n = 1): TransactItem => ({ Put: { TableName, Item: { ...keyOf(sk), n } } });
  const add = (sk: string, n = 1): TransactItem => ({
    Put: { TableName, Item: { ...keyOf(sk), n }, ConditionExpression },
  });
  const write = (TransactItems: TransactItem[], ClientRequestToken?: string) =>
    tables.client.send(new TransactWriteCommand({ TransactItems, ClientRequestToken }));
  const get = async (sk: string, table = TableName) => {
    const key = { TableName: table, Key: keyOf(sk), ConsistentRead: true };
    const { Item } = await tables.client.send(new GetCommand(key));
    return Item?.['n'] as unknown;
  };

  test('puts, changes and removes, in both tables', async () => {
    await write([put('changed'), put('removed')]);
    await write([
      add('put'),
      { Put: { TableName: 'config', Item: { ...keyOf('put'), n: 7 } } },
      {
        Update: {
          ...{ TableName, Key: keyOf('changed'), UpdateExpression: 'SET n = n + :one' },
          ...{ ConditionExpression: 'n = :one', ExpressionAttributeValues: { ':one': 1 } },
        },
      },
      { Delete: { TableName, Key: keyOf('removed') } },
    ]);
    expect([await get('put'), await get('put', 'config')]).toEqual([1, 7]);
    expect([await get('changed'), await get('removed')]).toEqual([2, undefined]);
  });

  test('of which one condition fails changes nothing, and tells of each', async () => {
    await write([put('old', 1), put('gone', 1)]);
    const refused = write([
      add('new'),
      put('old', 2),
      add('gone'),
      { Delete: { TableName, Key: keyOf('gone-2'), ConditionExpression: 'attribute_exists(pk)' } },
    ]);
    const failed = { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' };
    await expect(refused).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, ConditionalCheckFailed, ConditionalCheckFailed]',
      CancellationReasons: [{ Code: 'None' }, { Code: 'None' }, failed, failed],
    });
    expect([await get('new'), await get('old'), await get('gone')]).toEqual([undefined, 1, 1]);
  });

  test('of which one write is refused changes nothing', async () => {
    const odd: TransactItem = { Put: { TableName, Item: { ...keyOf('odd'), statusKey: 1 } } };
    await expect(write([put('before'), odd])).rejects.toMatchObject({ name: 'ValidationException' });
    expect(await get('before')).toBeUndefined();
  });

  test('that is sent again with its token is made once, and another one with this token is refused', async () => {
    await write([add('once')], 'token-1');
    await write([add('once')], 'token-1');
    await expect(write([add('twice')], 'token-1')).rejects.toMatchObject({
      name: 'IdempotentParameterMismatchException',
    });
    await expect(write([add('once')], 'token-2')).rejects.toThrow('[ConditionalCheckFailed]');
  });

  test('that was cancelled is made when it is sent again and could be', async () => {
    await write([put('in-the-way', 2)]);
    await expect(write([add('in-the-way')], 'token-3')).rejects.toThrow('cancelled');
    await write([{ Delete: { TableName, Key: keyOf('in-the-way') } }]);
    await write([add('in-the-way')], 'token-3');
    expect(await get('in-the-way')).toBe(1);
  });

  test('has a hundred writes at most, and one of an item', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => put(`many-${index}`));
    await write(many(100));
    for (const items of [many(101), [], [put('same'), put('same')]]) {
      await expect(write(items)).rejects.toMatchObject({ name: 'ValidationException' });
    }
  });

  test('is seen whole or not at all, and waits for nobody for ever', async () => {
    const values = Array.from({ length: 20 }, (_, index) => index);
    const seen = values.flatMap((n) => [
      write([put('one', n), put('other', n)]),
      tables.client.send(new PutCommand({ TableName, Item: { ...keyOf('apart'), n } })),
    ]);
    await Promise.all(seen);
    expect(await get('one')).toBe(await get('other'));
  });
});
