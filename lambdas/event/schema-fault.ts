import type { ErrorObject } from 'ajv';

type Params = Readonly<Record<string, unknown>>;

/** A value of the schema's own, as JSON; long ones are cut. */
const told = (value: unknown): string => ((JSON.stringify(value) as string | undefined) ?? '').slice(0, 200);

const listed = (values: unknown): string =>
  (Array.isArray(values) ? values : [values]).map(told).join(', ').slice(0, 200);

const comparisons: Readonly<Record<string, string>> = {
  '<=': 'at most',
  '>=': 'at least',
  '<': 'less than',
  '>': 'more than',
};
const compared = ({ comparison, limit }: Params): string =>
  `must be ${comparisons[String(comparison)] ?? 'within'} ${told(limit)}`;

const atLeast = (what: string) => (params: Params) => `must have at least ${told(params['limit'])} ${what}`;
const atMost = (what: string) => (params: Params) => `must have at most ${told(params['limit'])} ${what}`;

/** What each keyword of JSON Schema wants. Its parameters are the schema's, but for those that name what is in the data. */
const wishes: Readonly<Record<string, (params: Params) => string>> = {
  type: ({ type }) => `must be of the type ${listed(type)}`,
  required: ({ missingProperty }) => `the field ${told(missingProperty)} is missing`,
  dependentRequired: ({ missingProperty, property }) =>
    `the field ${told(missingProperty)} is missing, which ${told(property)} asks for`,
  enum: ({ allowedValues }) => `must be one of ${listed(allowedValues)}`,
  const: ({ allowedValue }) => `must be ${told(allowedValue)}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${told(multipleOf)}`,
  minimum: compared,
  maximum: compared,
  exclusiveMinimum: compared,
  exclusiveMaximum: compared,
  minLength: atLeast('characters'),
  maxLength: atMost('characters'),
  minItems: atLeast('items'),
  maxItems: atMost('items'),
  minProperties: atLeast('fields'),
  maxProperties: atMost('fields'),
  items: atMost('items'),
  unevaluatedItems: () => 'must have no items that the schema does not know',
  uniqueItems: () => 'must not have the same item twice',
  contains: ({ minContains, maxContains }) =>
    `must have ${told(minContains)}${maxContains === undefined ? ' or more' : ` to ${told(maxContains)}`} such items`,
  pattern: ({ pattern }) => `must match the pattern ${told(pattern)}`,
  format: ({ format }) => `must have the format ${told(format)}`,
  additionalProperties: () => 'must have no field that the schema does not know',
  unevaluatedProperties: () => 'must have no field that the schema does not know',
  propertyNames: () => 'must have no field of such a name',
  oneOf: () => 'must fit exactly one of the alternatives',
  anyOf: () => 'must fit one of the alternatives',
  not: () => 'must not be like that',
  if: ({ failingKeyword }) => `must fit what stands under ${told(failingKeyword)}`,
  'false schema': () => 'must not be there',
};

/** What is wrong, in words of ours and of the schema: nothing of what was held against it is quoted, not even a name. */
export function wishOf({ keyword, params }: Pick<ErrorObject, 'keyword' | 'params'>): string {
  return wishes[keyword]?.(params) ?? 'must be as the schema says';
}

/** Why Ajv cannot use what the draft's own schema has nothing against. */
const causes: readonly (readonly [RegExp, string])[] = [
  [/no schema with key or ref/, 'Its $schema is of another draft: only 2020-12 is known.'],
  [/more than one schema|already exists/, 'Two of its parts have the same $id or $anchor.'],
  [/keyword "id"/, 'The keyword id is of an old draft: write $id.'],
  [/hash fragment/, 'A $dynamicRef is followed within the schema only: begin it with #.'],
  [/nullable/, 'The keyword nullable is none of JSON Schema: give type a list, such as ["string", "null"].'],
  [/regular expression/, 'A pattern is no regular expression (ECMA-262, flag u).'],
  [/anchor/, 'An $anchor is no plain name.'],
];

export function causeOf(fault: unknown): string {
  const text = fault instanceof Error ? fault.message : '';
  return causes.find(([pattern]) => pattern.test(text))?.[1] ?? 'One of its keywords has no meaning there.';
}
