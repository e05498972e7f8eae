import type { KeyTerm } from './expressions.ts';
import type { Values } from './operand.ts';
import { refusal } from './refusal.ts';
import { compareText } from './text.ts';

/** What a Query asks for: one partition, and of it what is neither below nor above. */
export interface KeyRange {
  readonly partition: string;
  readonly isBelow: (sort: string) => boolean;
  readonly isAbove: (sort: string) => boolean;
}

export interface KeyNames {
  readonly partition: string;
  readonly sort: string;
}

/**
 * The range of a key condition.
 *
 * @throws ValidationException when it does not name the partition, or names what is no key.
 */
export function rangeOf(terms: readonly KeyTerm[], values: Values, names: KeyNames): KeyRange {
  const ofPartition = terms.find(({ attribute }) => attribute === names.partition);
  const ofSort = terms.find(({ attribute }) => attribute === names.sort);
  if (ofPartition === undefined || terms.length > (ofSort === undefined ? 1 : 2))
    throw refusal(
      `Query condition missed key schema element: ${ofPartition === undefined ? names.partition : names.sort}`,
    );
  if (ofPartition.operator !== 'EQ') throw refusal('Query key condition not supported');
  const [partition = ''] = textsOf(ofPartition, values);
  return { partition, ...(ofSort === undefined ? whole : sortRange(ofSort, textsOf(ofSort, values))) };
}

type SortRange = Pick<KeyRange, 'isBelow' | 'isAbove'>;

const nothing = () => false;
const whole: SortRange = { isBelow: nothing, isAbove: nothing };

function sortRange({ operator }: KeyTerm, [first = '', second = '']: readonly string[]): SortRange {
  const isLess = (sort: string) => compareText(sort, first) < 0;
  const isGreater = (sort: string) => compareText(sort, first) > 0;
  switch (operator) {
    case 'EQ':
      return { isBelow: isLess, isAbove: isGreater };
    case 'LT':
      return { isBelow: nothing, isAbove: (sort) => !isLess(sort) };
    case 'LE':
      return { isBelow: nothing, isAbove: isGreater };
    case 'GT':
      return { isBelow: (sort) => !isGreater(sort), isAbove: nothing };
    case 'GE':
      return { isBelow: isLess, isAbove: nothing };
    case 'BEGINS_WITH':
      return { isBelow: isLess, isAbove: (sort) => isGreater(sort) && !sort.startsWith(first) };
    case 'BETWEEN':
      if (compareText(first, second) > 0)
        throw refusal(
          'The BETWEEN condition was provided a range where the lower bound is greater than the upper bound',
        );
      return { isBelow: isLess, isAbove: (sort) => compareText(sort, second) > 0 };
  }
}

function textsOf({ attribute, values: names }: KeyTerm, values: Values): string[] {
  return names.map((name) => {
    const value = values[name];
    if (typeof value !== 'string')
      throw refusal(
        'One or more parameter values were invalid: Condition parameter type does not match schema type',
      );
    if (value === '')
      throw refusal(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${attribute}`,
      );
    return value;
  });
}
