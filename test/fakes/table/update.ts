import type { Call, Operand, Path, Section } from 'dynalite/validations/index.js';
import { sum } from './decimal.ts';
import { isCall, isPath, readOperand } from './operand.ts';
import type { NameOf, Read, Values } from './operand.ts';
import { refusal, unsupported } from './refusal.ts';
import { isList } from './value.ts';
import type { Item, Value } from './value.ts';

export interface Update {
  /** The attributes that it names. */
  readonly names: readonly string[];
  /** The attributes that are set to a value of the request, and the value's name. */
  readonly given: readonly (readonly [attribute: string, value: string])[];
  /** The item after it, as a new one: every operand is read from the item before it. */
  readonly apply: (before: Item, values: Values) => Item;
}

interface Step {
  readonly name: string;
  /** The attribute's value after it; undefined has it removed. */
  readonly read: Read;
}

/** What the attribute holds when one of its parts, however deep, is set to a value. */
function withPart(whole: Value | undefined, [head, ...rest]: Path, value: Value): Value {
  if (head === undefined) return value;
  const isMap =
    typeof whole === 'object' && whole !== null && !isList(whole) && !(whole instanceof Uint8Array);
  if (!isMap || typeof head === 'number')
    throw refusal('The document path provided in the update expression is invalid for update');
  return { ...whole, [head]: withPart(whole[head], rest, value) };
}

/** Makes the change of an update that dynalite has read. */
export function updateOf(sections: readonly Section[], nameOf: NameOf): Update {
  const steps = sections.map((section) => stepOf(section, nameOf));
  return {
    names: steps.map(({ name }) => name),
    given: sections.flatMap(({ type, path, val }) =>
      type !== 'set' || path.length > 1 || val === undefined || isPath(val) || isCall(val)
        ? []
        : [[String(path[0]), nameOf(val)]],
    ),
    apply: (before, values) => {
      const after: Record<string, Value> = { ...before };
      for (const { name, read } of steps) {
        const value = read(before, values);
        if (value !== undefined) after[name] = value;
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a copy of our own
        else delete after[name];
      }
      return after;
    },
  };
}

function stepOf({ type, path, val }: Section, nameOf: NameOf): Step {
  const [head, ...rest] = path;
  const name = String(head);
  if (rest.length > 0) return { name, read: partStep({ type, name, rest, val }, nameOf) };
  if (type === 'remove') return { name, read: () => undefined };
  if (type === 'delete' || val === undefined) throw unsupported('sets');
  if (type === 'set') return { name, read: present(valueOf(val, nameOf)) };
  const there: Read = (item) => (item[name] === undefined ? 0 : item[name]);
  return { name, read: calculated(there, valueOf(val, nameOf), sum) };
}

function partStep(
  { type, name, rest, val }: Pick<Section, 'type'> & { name: string; rest: Path; val: Operand | undefined },
  nameOf: NameOf,
): Read {
  if (type !== 'set' || val === undefined) throw unsupported('updates of a part other than to set it');
  const read = present(valueOf(val, nameOf));
  return (item, values) => {
    const value = read(item, values);
    return value === undefined ? undefined : withPart(item[name], rest, value);
  };
}

function valueOf(operand: Operand | undefined, nameOf: NameOf): Read {
  if (operand === undefined || isPath(operand) || !isCall(operand)) return readOperand(operand, nameOf);
  return callOf(operand, nameOf);
}

function callOf({ type, name, args }: Call, nameOf: NameOf): Read {
  const [first, second] = [valueOf(args[0], nameOf), valueOf(args[1], nameOf)];
  if (type === 'add') return calculated(present(first), present(second), sum);
  if (type === 'subtract')
    return calculated(present(first), present(second), (one, other) => sum(one, -other));
  if (name === 'if_not_exists') return firstOf(first, second);
  if (name === 'list_append') return appended(present(first), present(second));
  throw unsupported(`the function ${name ?? type}`);
}

function firstOf(first: Read, second: Read): Read {
  return (item, values) => {
    const value = first(item, values);
    // An attribute that is null is there.
    return value === undefined ? second(item, values) : value;
  };
}

function present(read: Read): Read {
  return (item, values) => {
    const value = read(item, values);
    if (value !== undefined) return value;
    throw refusal('The provided expression refers to an attribute that does not exist in the item');
  };
}

function calculated(first: Read, second: Read, calculate: (one: number, other: number) => number): Read {
  return (item, values) => {
    const [one, other] = [first(item, values), second(item, values)];
    if (typeof one === 'number' && typeof other === 'number') return calculate(one, other);
    throw refusal('An operand in the update expression has an incorrect data type');
  };
}

function appended(first: Read, second: Read): Read {
  return (item, values) => {
    const [one, other] = [first(item, values), second(item, values)];
    if (isList(one) && isList(other)) return [...one, ...other];
    throw refusal('An operand in the update expression has an incorrect data type');
  };
}
