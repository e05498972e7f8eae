import { z } from 'zod';
import { isJsonObject, plainOf } from './json.ts';
import { faultsMax, InvalidRequest } from './errors.ts';
import type { Fault } from './errors.ts';

/** A field's name is the caller's, and as long as they like. */
const fieldLengthMax = 100;

export type Parsed<S extends z.ZodType> =
  { readonly ok: true; readonly value: z.output<S> } | { readonly ok: false; readonly faults: Fault[] };

/** Parses a part of a request. What is wrong is told all at once, in the order of the schema. */
export function parsePart<S extends z.ZodType>(schema: S, value: unknown): Parsed<S> {
  // No message of the library's survives: what is not empty was written beside a schema here.
  const parse = (given: unknown) => schema.safeParse(given, { error: () => '' });
  const parsed = parse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  // Zod takes a number that is kept as its text for an object: what is told is wrong with the number.
  const { error = parsed.error } = value === undefined ? parsed : parse(plainOf(value));
  const faults: Fault[] = [];
  for (const issue of error.issues) {
    if (faults.length >= faultsMax) break;
    // A text in place of a list is too long for one, too, and told what a list must be twice.
    faults.push(...faultsOf(issue, { schema, value, path: [] }).filter((one) => !isAmong(faults, one)));
  }
  return { ok: false, faults: faults.slice(0, faultsMax) };
}

function isAmong(faults: readonly Fault[], { field, code, detail }: Fault): boolean {
  return faults.some((one) => one.field === field && one.code === code && one.detail === detail);
}

/** For a rule about two fields: it is held against an object also when others of its fields are wrong, and tells of both. */
export function ifObject({ value }: { readonly value: unknown }): boolean {
  return isJsonObject(value);
}

/** The refusal of a request in which all this is wrong; its sentence tells the first, for those who read no further. */
export function refusalOf(faults: readonly Fault[]): InvalidRequest {
  const { field, code = 'invalid_request', detail = 'is not as described' } = faults[0] ?? {};
  const message =
    code === 'unknown_field' ? `There is no field of this name: ${field ?? ''}.` : sentenceOf(field, detail);
  const refusal = new InvalidRequest(code, message, field);
  refusal.faults = faults;
  return refusal;
}

function sentenceOf(field: string | undefined, detail: string): string {
  return field === undefined ? `The body ${detail}.` : `${field}: ${detail}`;
}

interface Within {
  readonly schema: z.ZodType;
  readonly value: unknown;
  /** Where in the request it stands. */
  readonly path: readonly PropertyKey[];
}

type Issue = z.core.$ZodIssue;

function faultsOf(issue: Issue, within: Within): Fault[] {
  const path = [...within.path, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, faultsMax)
      .map((key) => fault([...path, key], 'unknown_field', 'is not the name of a field here'));
  }
  const at = schemaAt(within.schema, issue.path);
  const { inner: schema } = at === undefined ? { inner: undefined } : unwrapped(at);
  const value = valueAt(within.value, issue.path);
  if (issue.code === 'invalid_union' && issue.message === '') {
    const meant = optionMeant(issue.errors);
    const option = schema instanceof z.ZodUnion ? schema.options[meant] : undefined;
    const inner = issue.errors[meant];
    if (option instanceof z.ZodType && inner !== undefined) {
      return inner.flatMap((one) => faultsOf(one, { schema: option, value, path }));
    }
  }
  const must = ruleOf(issue, at);
  return [fault(path, 'invalid_request', value === undefined ? `is missing: ${must}` : must)];
}

/** Of a union the one whose kind was sent, if there is only one: its reason is the right one. */
function optionMeant(errors: readonly (readonly Issue[])[]): number {
  const isOfKind = (issues: readonly Issue[]) =>
    !issues.some(
      ({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value'),
    );
  const meant = errors.flatMap((issues, index) => (isOfKind(issues) ? [index] : []));
  return meant.length === 1 ? (meant[0] ?? -1) : -1;
}

function fault(path: readonly PropertyKey[], code: string, detail: string): Fault {
  const field = path.map(String).join('.').slice(0, fieldLengthMax);
  return { ...(path.length === 0 ? {} : { field }), code, detail };
}

/** What must be so: the whole rule, and not only the part of it that is broken. */
function ruleOf(issue: Issue, schema: z.ZodType | undefined): string {
  if (issue.message !== '')
    return issue.code === 'invalid_format' ? `must be ${issue.message}` : issue.message;
  if (schema === undefined) return 'is not as described';
  const { inner, isNullable } = unwrapped(schema);
  return `must be ${nounOf(inner)}${isNullable ? ', or null' : ''}`;
}

/** What a value is to be, by the same schema that describes it to clients. */
function nounOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return 'an object';
  if (schema instanceof z.ZodUnion) {
    return schema.options.flatMap((one) => (one instanceof z.ZodType ? [nounOf(one)] : [])).join(' or ');
  }
  if (schema instanceof z.ZodArray) return `a list${boundsOf(schema, 'entries')}`;
  const described = describedWhole(schema);
  const { type, minimum, maximum, format, enum: values, const: only } = described;
  if (only !== undefined) return JSON.stringify(only);
  if (values !== undefined) return `one of ${values.map((one) => JSON.stringify(one)).join(', ')}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'number' || type === 'integer') {
    const noun = type === 'integer' ? 'a whole number' : 'a number';
    return minimum === undefined || maximum === undefined
      ? noun
      : `${noun} from ${String(minimum)} to ${String(maximum)}`;
  }
  if (format === 'date-time') return 'a date and time with its zone, such as 2026-11-27T10:00:00Z';
  if (type === 'string') return `a string${boundsOf(schema, 'characters')}`;
  return 'as described';
}

function boundsOf(schema: z.ZodType, what: string): string {
  const described = describedWhole(schema);
  const least = described.minLength ?? described.minItems;
  const most = described.maxLength ?? described.maxItems;
  if (most === undefined) return '';
  return least === undefined
    ? ` of at most ${String(most)} ${what}`
    : ` of ${String(least)} to ${String(most)} ${what}`;
}

/** What the description says of a schema, where it stands: a name would be a reference to it. */
function describedWhole(schema: z.ZodType) {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', metadata: withoutNames });
}

const withoutNames = z.registry<object>();

/** The schema itself, without what is said of its absence. */
export function unwrapped(schema: z.ZodType): { readonly inner: z.ZodType; readonly isNullable: boolean } {
  let [inner, isNullable] = [schema, false];
  for (;;) {
    const next = below(inner);
    if (next === undefined) return { inner, isNullable };
    isNullable ||= inner instanceof z.ZodNullable;
    inner = next;
  }
}

function below(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodPipe) return typeOf(schema.in);
  const isWrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return isWrapped ? typeOf(schema.unwrap()) : undefined;
}

/** Of a schema below another one, its methods. */
function typeOf(schema: unknown): z.ZodType | undefined {
  return schema instanceof z.ZodType ? schema : undefined;
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return schema;
  const { inner } = unwrapped(schema);
  const next =
    inner instanceof z.ZodObject
      ? typeOf(inner.shape[String(first)])
      : inner instanceof z.ZodArray
        ? typeOf(inner.element)
        : inner instanceof z.ZodRecord
          ? typeOf(inner.valueType)
          : undefined;
  return next && schemaAt(next, rest);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  return valueAt(Object.entries(value).find(([name]) => name === String(first))?.[1], rest);
}
