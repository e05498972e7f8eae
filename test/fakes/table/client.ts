import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { check, parameters } from './parameters.ts';
import { batchGetItems, getItem, query } from './reads.ts';
import { noSuchTable, refusal, unsupported } from './refusal.ts';
import type { Table, TableOf } from './table.ts';
import type { Transactions } from './transactions.ts';
import type { Observe } from './units.ts';
import { deleteItem, putItem, updateItem } from './writes.ts';

/** What all clients of the same tables reach. */
export interface Account {
  readonly tables: readonly Table[];
  readonly transactions: Transactions;
}

/**
 * A document client whose requests are answered here: at once, one after the other, as they are sent.
 *
 * @param travel waits as long as a request is on its way
 */
export function clientOf(
  { tables, transactions }: Account,
  observe: Observe,
  travel?: () => Promise<void>,
): DynamoDBDocumentClient {
  const named = new Map<string, Table>(tables.map((table) => [table.shape.name, table]));
  const tableOf: TableOf = (name) => {
    if (name === undefined) throw refusal('TableName must not be null');
    const table = named.get(name);
    if (table === undefined) throw noSuchTable();
    return table;
  };
  const client = {
    send: async (command: unknown): Promise<unknown> => {
      if (travel !== undefined) await travel();
      if (command instanceof TransactWriteCommand) {
        return { $metadata: {}, ...transactions.write(tableOf, command.input, observe) };
      }
      return { $metadata: {}, ...answer(command, tableOf, observe) };
    },
    destroy: () => undefined,
  };
  // The stores need nothing of the client but `send`.
  return client as unknown as DynamoDBDocumentClient;
}

function answer(command: unknown, tableOf: TableOf, observe: Observe): object {
  if (command instanceof GetCommand) {
    check(command.input, parameters.get);
    return getItem(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof PutCommand) {
    check(command.input, parameters.put);
    return putItem(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof UpdateCommand) {
    check(command.input, parameters.update);
    return updateItem(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof QueryCommand) {
    check(command.input, parameters.query);
    return query(tableOf(command.input.TableName), command.input, observe);
  }
  if (command instanceof BatchGetCommand) {
    check(command.input, parameters.batchGet);
    return batchGetItems(tableOf, command.input, observe);
  }
  if (command instanceof DeleteCommand) {
    check(command.input, parameters.delete);
    return deleteItem(tableOf(command.input.TableName), command.input, observe);
  }
  throw unsupported(`the command ${String(command?.constructor.name)}`);
}
