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
  const change = putOf(table, input);
  checkReturn(input.ReturnValues);
  const { before } = write(change, 'PutItem', observe);
  return attributes(input.ReturnValues === 'ALL_OLD' ? before?.item : undefined);
}

export function deleteItem(table: Table, input: DeleteCommandInput, observe: Observe) {
  const change = deleteOf(table, input);
  checkReturn(input.ReturnValues);
  const { before } = write(change, 'DeleteItem', observe);
  return attributes(input.ReturnValues === 'ALL_OLD' ? before?.item : undefined);
}

export function updateItem(table: Table, input: UpdateCommandInput, observe: Observe) {
  const change = updateOf(table, input);
  const { before, after } = write(change, 'UpdateItem', observe);
  const names = change.compiled.update?.names ?? [];
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

/** A write of one item, as a request asks for it. */
export interface Change {
  readonly table: Table;
  readonly key: Key;
  readonly compiled: Compiled;
  readonly values: Values;
  /** What there is after it; undefined has it removed. */
  readonly apply: (before: Item | undefined) => Entry | undefined;
}

type ChangeInput<Input> = Omit<Input, 'TableName' | 'ReturnValues'>;

export function putOf(table: Table, input: ChangeInput<PutCommandInput>): Change {
  const item = takenItem(input.Item ?? {});
  const key = keyIn(item);
  // What the table cannot hold is refused whatever the condition says.
  const entry = table.entryOf(key, item);
  return { table, key, ...expressionsOf(input), apply: () => entry };
}

export function deleteOf(table: Table, input: ChangeInput<DeleteCommandInput>): Change {
  const key = keyOf(takenItem(input.Key ?? {}));
  return { table, key, ...expressionsOf(input), apply: () => undefined };
}

export function updateOf(table: Table, input: ChangeInput<UpdateCommandInput>): Change {
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
  return {
    ...{ table, key, compiled, values },
    // What is made by an update has at least its key.
    apply: (there = { ...key }) =>
      table.entryOf(key, update === undefined ? there : update.apply(there, values)),
  };
}

const nothing: Item = {};

/** What a change comes to, should it be made. */
export interface Judged {
  readonly change: Change;
  readonly before: Entry | undefined;
  /** Whether its condition holds. */
  readonly isMet: boolean;
  readonly after: Entry | undefined;
}

export function judge(change: Change): Judged {
  const { table, key, compiled, values, apply } = change;
  const before = table.get(key);
  const isMet = compiled.condition?.(before?.item ?? nothing, values) ?? true;
  return { change, before, isMet, after: isMet ? apply(before?.item) : undefined };
}

type Cost = Pick<
  ObservedRequest,
  'table' | 'items' | 'bytes' | 'readUnits' | 'writeUnits' | 'indexWriteUnits' | 'isConditionFailed'
>;

/** What a change costs that was made, or whose condition failed. */
export function costOf(
  { change, before, isMet, after }: Judged,
  indexWriteUnits: Written['indexUnits'],
): Cost {
  const bytes = Math.max(before?.bytes ?? 0, after?.bytes ?? 0);
  const ofIndexes = Object.values(indexWriteUnits).reduce((sum, units) => sum + units, 0);
  return {
    ...{ table: change.table.shape.name, items: 1, bytes, readUnits: 0 },
    ...{ writeUnits: writeUnits(bytes) + ofIndexes, indexWriteUnits, isConditionFailed: !isMet },
  };
}

/** Changes an item, if its condition holds. */
function write(change: Change, operation: ObservedRequest['operation'], observe: Observe): Written {
  const judged = judge(change);
  const { before, isMet, after } = judged;
  const written = isMet ? change.table.write(before, after) : { before, after: undefined, indexUnits: {} };
  observe({ operation, ...costOf(judged, written.indexUnits) });
  if (!isMet) throw conditionFailed();
  return written;
}
