import type { DeleteCommandInput, PutCommandInput, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { compile } from './expressions.ts';
import type { Compiled } from './expressions.ts';
import { checkIndexKey, keyIn, keyOf } from './keys.ts';
import type { Key } from './keys.ts';
import type { Values } from './operand.ts';
import type { Entry } from './ordered.ts';
import { projectedOf } from './query.ts';
import { conditionFailed, refusal } from './refusal.ts';
import { tableKeys } from './shapes.ts';
import type { Table, Written } from './table.ts';
import { writeUnits } from './units.ts';
import type { Observe, ObservedRequest } from './units.ts';
import { takenItem } from './value.ts';
import type { Item } from './value.ts';

export function putItem(table: Table, input: PutCommandInput, observe: Observe) {
  const item = takenItem(input.Item ?? {});
  const key = keyIn(item);
  // What the table cannot hold is refused whatever the condition says.
  const entry = table.entryOf(key, item);
  checkReturn(input.ReturnValues);
  const { before } = write(table, {
    ...{ operation: 'PutItem', key, observe, ...expressionsOf(input) },
    change: () => entry,
  });
  return attributes(input.ReturnValues === 'ALL_OLD' ? before?.item : undefined);
}

export function deleteItem(table: Table, input: DeleteCommandInput, observe: Observe) {
  const key = keyOf(takenItem(input.Key ?? {}));
  checkReturn(input.ReturnValues);
  const { before } = write(table, {
    ...{ operation: 'DeleteItem', key, observe, ...expressionsOf(input) },
    change: () => undefined,
  });
  return attributes(input.ReturnValues === 'ALL_OLD' ? before?.item : undefined);
}

export function updateItem(table: Table, input: UpdateCommandInput, observe: Observe) {
  const key = keyOf(takenItem(input.Key ?? {}));
  const { compiled, values } = expressionsOf(input);
  const { update } = compiled;
  const names = update?.names ?? [];
  const changed = tableKeys.find((name) => names.includes(name));
  if (changed !== undefined)
    throw refusal(
      `One or more parameter values were invalid: Cannot update attribute ${changed}. This attribute is part of the key`,
    );
  for (const [name, value] of update?.given ?? []) checkIndexKey(table.shape, name, values[value]);
  const { before, after } = write(table, {
    ...{ operation: 'UpdateItem', key, observe, compiled, values },
    // What is made by an update has at least its key.
    change: (there = { ...key }) =>
      table.entryOf(key, update === undefined ? there : update.apply(there, values)),
  });
  switch (input.ReturnValues) {
    case 'ALL_OLD':
      return attributes(before?.item);
    case 'UPDATED_OLD':
      return attributes(before?.item, names);
    case 'ALL_NEW':
      return attributes(after?.item);
    case 'UPDATED_NEW':
      return attributes(after?.item, names);
    case 'NONE':
    case undefined:
      return {};
  }
}

function checkReturn(wanted: PutCommandInput['ReturnValues']): void {
  if (wanted !== undefined && wanted !== 'NONE' && wanted !== 'ALL_OLD')
    throw refusal('Return values set to invalid value');
}

function attributes(item: Item | undefined, names?: readonly string[]): { Attributes?: Item } {
  if (item === undefined) return {};
  const Attributes = projectedOf(item, names);
  return Object.keys(Attributes).length === 0 ? {} : { Attributes };
}

type Expressions = Parameters<typeof compile>[0] & Pick<UpdateCommandInput, 'ExpressionAttributeValues'>;

function expressionsOf(input: Expressions): Pick<Change, 'compiled' | 'values'> {
  const { ExpressionAttributeValues } = input;
  const values = takenItem(ExpressionAttributeValues ?? {});
  const compiled = compile(input, ExpressionAttributeValues && values);
  compiled.check(values);
  const key = compiled.nested.find((name) => name === 'pk' || name === 'sk');
  if (key !== undefined) throw refusal(`Key attributes must be scalars: ${key}`);
  return { compiled, values };
}

interface Change {
  readonly operation: ObservedRequest['operation'];
  readonly key: Key;
  readonly compiled: Compiled;
  readonly values: Values;
  readonly observe: Observe;
  /** What there is after it; undefined has it removed. */
  readonly change: (before: Item | undefined) => Entry | undefined;
}

const nothing: Item = {};

/** Changes an item, if its condition holds. */
function write(table: Table, { operation, key, compiled, values, observe, change }: Change): Written {
  const before = table.get(key);
  const isMet = compiled.condition?.(before?.item ?? nothing, values) ?? true;
  const unchanged = { before, after: undefined, indexUnits: {} };
  const written = isMet ? table.write(before, change(before?.item)) : unchanged;
  const bytes = Math.max(before?.bytes ?? 0, written.after?.bytes ?? 0);
  const ofIndexes = Object.values(written.indexUnits).reduce((sum, units) => sum + units, 0);
  observe({
    ...{ operation, table: table.shape.name, items: 1, bytes, readUnits: 0 },
    ...{ writeUnits: writeUnits(bytes) + ofIndexes, indexWriteUnits: written.indexUnits },
    isConditionFailed: !isMet,
  });
  if (!isMet) throw conditionFailed();
  return written;
}
