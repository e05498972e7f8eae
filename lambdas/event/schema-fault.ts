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

const askedFor = ({ missingProperty, property }: Params): string =>
  `the field ${told(missingProperty)} is missing, which ${told(property)} asks for`;

const atLeast = (what: string) => (params: Params) => `must have at least ${told(params['limit'])} ${what}`;
const atMost = (what: string) => (params: Params) => `must have at most ${told(params['limit'])} ${what}`;

/** What each keyword of JSON Schema wants. Its parameters are the schema's, but for those that name what is in the data. */
const wishes: Readonly<Record<string, (params: Params) => string>> = {
  type: ({ type }) => `must be of the type ${listed(type)}`,
  required: ({ missingProperty }) => `the field ${told(missingProperty)} is missing`,
  dependentRequired: askedFor,
  dependencies: askedFor,
  enum: ({ allowedValues }) => `must be one of ${listed(allowedValues)}`,
  const: ({ allowedValue }) => `must be ${told(allowedValue)}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${told(multipleOf)}`,
  minimum: compared,
  maximum: compared,
  exclusiveMinimum: compared,
  exclusiveMaximum: compared,
  formatMinimum: compared,
  formatMaximum: compared,
  formatExclusiveMinimum: compared,
  formatExclusiveMaximum: compared,
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

/**
 * The one fault to tell of those that Ajv has found, with its place in the schema. It ends at the first keyword that is
 * broken, and gives that one last, after what was found on the way to it.
 *
 * @param schema the whole, in which that place is
 */
export function faultOf(errors: readonly ErrorObject[], schema: object): string {
  const last = errors.at(-1);
  if (last === undefined) return '#';
  const before = errors.slice(0, -1);
  // These only say that what stands before them is the reason.
  if ((last.keyword === 'if' || last.keyword === 'propertyNames') && before.length > 0) {
    return faultOf(before, schema);
  }
  const isChoice = last.keyword === 'oneOf' || last.keyword === 'anyOf';
  return `${last.schemaPath}: ${isChoice ? choiceOf(last, before, schema) : wishOf(asWritten(last, schema))}`;
}

/** What was compiled has the nearest double of each number: what the schema says is the number that stands there. */
function asWritten(error: ErrorObject, schema: object): Pick<ErrorObject, 'keyword' | 'params'> {
  const { keyword, schemaPath } = error;
  const written = valueAt(schema, schemaPath);
  if (written === undefined) return error;
  if (keyword === 'enum') return { keyword, params: { allowedValues: written } };
  if (keyword === 'const') return { keyword, params: { allowedValue: written } };
  if (!/^(?:exclusive)?(?:minimum|maximum)$/i.test(keyword)) return error;
  return { keyword, params: { ...(error.params as Params), limit: written } };
}

/** How data fail to fit one of several alternatives: the fault of any single one of them may be none. */
function choiceOf(choice: ErrorObject, inAlternatives: readonly ErrorObject[], schema: object): string {
  const { schemaPath, params } = choice;
  const many = countAt(schema, schemaPath);
  if (many === 1) return inAlternatives.length === 0 ? wishOf(choice) : faultOf(inAlternatives, schema);
  const alternatives = many === undefined ? 'its alternatives' : `its ${String(many)} alternatives`;
  const passing: unknown = (params as Params)['passingSchemas'];
  if (Array.isArray(passing)) {
    const places = passing.map((index) => `${schemaPath}/${String(index)}`);
    return `must fit exactly one of ${alternatives}, and fits ${places.join(' and ')}`;
  }
  const meant = inAlternatives.filter((error) => isWithin(error, choice));
  const [nearest] = meant;
  const rule = `must fit one of ${alternatives}, and fits none`;
  if (meant.length !== 1 || nearest === undefined) return rule;
  return `${rule}; what the nearest wants stands at ${nearest.schemaPath}: ${wishOf(nearest)}`;
}

/** Whether an alternative is meant for such data, and only something in them is wrong: another one is for another kind, or names it. */
function isWithin({ keyword, instancePath }: ErrorObject, choice: ErrorObject): boolean {
  if (keyword === 'const' || keyword === 'enum') return false;
  const isOfKind = keyword === 'type' || keyword === 'false schema';
  return !isOfKind || instancePath !== choice.instancePath;
}

/** How many alternatives stand at a place of a schema, as far as it can be found by the path alone. */
function countAt(schema: object, schemaPath: string): number | undefined {
  const found = valueAt(schema, schemaPath);
  return Array.isArray(found) ? found.length : undefined;
}

function valueAt(schema: object, schemaPath: string): unknown {
  if (!schemaPath.startsWith('#')) return undefined;
  const names = schemaPath.split('/').slice(1);
  return names.reduce<unknown>((at, name) => memberOf(at, unescaped(name)), schema);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([own]) => own === name)?.[1];
}

/** JSON Pointer (RFC 6901) in a fragment, as Ajv writes it. */
function unescaped(name: string): string {
  try {
    return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return name;
  }
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
  [/^enum must have/, 'An enum is empty: list what the value may be.'],
];

/** Ajv names a keyword that it does not take as it stands; it is one of those that it knows. */
const named = /dependencies of (\w+)|^"?(\$?\w+)"? (?:value )?(?:must|cannot|needs)/;

export function causeOf(fault: unknown): string {
  const text = fault instanceof Error ? fault.message : '';
  const cause = causes.find(([pattern]) => pattern.test(text))?.[1];
  if (cause !== undefined) return cause;
  const [, dependent, keyword = dependent] = named.exec(text) ?? [];
  return keyword === undefined
    ? 'One of its keywords has no meaning there.'
    : `The keyword ${keyword} has no meaning there, or not with this value.`;
}
