import { expect, test } from 'vitest';
import { z } from 'zod';
import { run } from '../simulation/simulate.ts';
import { grantsIn } from './grants.ts';
import { synthesized } from './synthesized.ts';

const functions: Readonly<Record<string, string>> = {
  route: 'RoutingRoute',
  deliver: 'DeliveryDeliver',
  recover: 'RecoveryRecover',
  wake: 'WaitingWake',
  api: 'ApiHandler',
};

const operations: Readonly<Record<string, string>> = {
  GetCommand: 'GetItem',
  BatchGetCommand: 'BatchGetItem',
  QueryCommand: 'Query',
  PutCommand: 'PutItem',
  UpdateCommand: 'UpdateItem',
  DeleteCommand: 'DeleteItem',
};
/** Of a transaction each part takes what it would take alone. */
const parts: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
};
const tables: Readonly<Record<string, string>> = { config: 'StorageConfig', ledger: 'StorageLedger' };

const command = z.object({
  input: z.object({
    TableName: z.string().optional(),
    IndexName: z.string().optional(),
    RequestItems: z.record(z.string(), z.unknown()).default({}),
    TransactItems: z.array(z.record(z.string(), z.object({ TableName: z.string() }))).default([]),
  }),
});

/** What a request needs: an action on a resource, each as the template names it. */
function neededBy(given: object): string[] {
  const { name } = given.constructor;
  const { input } = command.parse(given);
  const { TableName, IndexName, RequestItems, TransactItems } = input;
  const index = IndexName === undefined ? '' : `/index/${IndexName}`;
  const tableNames = [...(TableName === undefined ? [] : [TableName]), ...Object.keys(RequestItems)];
  const needed = (operation: string, table: string) =>
    `dynamodb:${operation} on ${tables[table] ?? table}${index}`;
  return [
    ...tableNames.map((table) => needed(operations[name] ?? name, table)),
    ...TransactItems.flatMap((one) =>
      Object.entries(one).map(([part, of]) => needed(parts[part] ?? part, of.TableName)),
    ),
  ];
}

test('whatever the functions ask of DynamoDB in a hundred disasters, the template permits', async () => {
  const { resources } = synthesized();
  const asked = new Map<string, Set<string>>();
  const request = (given: unknown, by: string) => {
    const name = functions[by.split(' ')[0] ?? ''];
    if (name === undefined || typeof given !== 'object' || given === null) return;
    const all = asked.get(name) ?? new Set();
    asked.set(name, all);
    for (const needed of neededBy(given)) all.add(needed);
  };
  for (let seed = 1; seed <= 100; seed += 1) await run(seed, { plant: { request } });
  expect([...asked.keys()].toSorted()).toEqual(Object.values(functions).toSorted());
  for (const [name, all] of asked) {
    const granted = Object.entries(grantsIn(resources, name)).flatMap(([resource, actions]) =>
      actions.map((action) => `${action} on ${resource}`),
    );
    expect({ [name]: [...all].filter((one) => !granted.includes(one)) }).toEqual({ [name]: [] });
  }
});
