import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchGetItems, getItem, query } from './reads.ts';
import { noSuchTable, refusal, unsupported } from './refusal.ts';
import type { Table } from './table.ts';
import type { Observe } from './units.ts';
import { deleteItem, putItem, updateItem } from './writes.ts';

/**
 * A document client whose requests are answered here: at once, one after the other, as they are sent.
 *
 * @param travel waits as long as a request is on its way
 */
export function clientOf(
  tables: readonly Table[],
  observe: Observe,
  travel?: () => Promise<void>,
): DynamoDBDocumentClient {
  const named = new Map<string, Table>(tables.map((table) => [table.shape.name, table]));
  const tableOf = (name: string | undefined): Table => {
    if (name === undefined) throw refusal('TableName must not be null');
    const table = named.get(name);
    if (table === undefined) throw noSuchTable();
    return table;
  };
  const client = {
    send: async (command: unknown): Promise<unknown> => {
      if (travel !== undefined) await travel();
      return { $metadata: {}, ...answer(command, tableOf, observe) };
    },
    destroy: () => undefined,
  };
  // The stores need nothing of the client but `send`.
  return client as unknown as DynamoDBDocumentClient;
}

type TableOf = (name: string | undefined) => Table;

function answer(command: unknown, tableOf: TableOf, observe: Observe): object {
  if (command instanceof GetCommand) {
    check(command.input, reading);
    return getItem(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof PutCommand) {
    check(command.input, putting);
    return putItem(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof UpdateCommand) {
    check(command.input, updating);
    return updateItem(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof QueryCommand) {
    check(command.input, querying);
    return query(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof BatchGetCommand) {
    check(command.input, new Set(['RequestItems']));
    return batchGetItems(tableOf, command.input, observe);
  }
  if (command instanceof DeleteCommand) {
    check(command.input, deleting);
    return deleteItem(tableOf(command.input.TableName), command.input, observe);
  }
  throw unsupported(`the command ${String(command?.constructor.name)}`);
}

const names = ['TableName', 'ExpressionAttributeNames'];
const reading = new Set([...names, 'Key', 'ConsistentRead', 'ProjectionExpression']);
const writing = [...names, 'ConditionExpression', 'ExpressionAttributeValues', 'ReturnValues'];
const putting = new Set([...writing, 'Item']);
const deleting = new Set([...writing, 'Key']);
const updating = new Set([...deleting, 'UpdateExpression']);
const querying = new Set([
  ...names,
  ...['IndexName', 'KeyConditionExpression', 'FilterExpression', 'ProjectionExpression'],
  ...[
    'ExpressionAttributeValues',
    'ConsistentRead',
    'ScanIndexForward',
    'Limit',
    'Select',
    'ExclusiveStartKey',
  ],
]);

function check(input: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): void {
  for (const name in input)
    if (input[name] !== undefined && !known.has(name)) throw unsupported(`the parameter ${name}`);
}
