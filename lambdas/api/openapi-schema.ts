import { z } from 'zod';
import { isJsonObject } from '../shared/json.ts';

/** A JSON Schema as OpenAPI 3.1 takes it: the 2020-12 dialect. */
export type Schema = Readonly<Record<string, unknown>>;

/** Which side of a schema: what it takes, or what it gives. */
export type Side = 'input' | 'output';

/** The schemas of a description: those with a name (`id`) stand apart, and are referred to. */
export interface Schemas {
  /** The schema as it is where it is used: a reference, if it has a name. */
  readonly at: (schema: z.ZodType, side: Side) => Schema;
  /** All that have been referred to, by their names in order. */
  readonly named: () => Readonly<Record<string, Schema>>;
  /** What a reference stands for; any other schema stands for itself. */
  readonly resolved: (schema: Schema) => Schema;
}

const place = '#/components/schemas/';

/**
 * Begins a description without schemas. What JSON Schema cannot say, such as how two fields depend on each other, is left
 * to an operation's refusals.
 */
export function makeSchemas(): Schemas {
  const named = new Map<string, Schema>();
  const keep = (name: string, schema: Schema) => {
    const before = named.get(name);
    // By a default, say, one side of a schema may differ from the other.
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(schema)) {
      throw new Error(`two schemas are called ${name}`);
    }
    named.set(name, schema);
  };
  const describe = (schema: z.ZodType, side: Side) => {
    const whole = z.toJSONSchema(schema, { io: side, unrepresentable: 'any' });
    const { $schema: _, $defs = {}, ...described } = whole;
    for (const [name, one] of Object.entries($defs)) keep(name, defaultsTold(objectOf(withReferences(one))));
    return objectOf(withReferences(described));
  };
  // What many operations have in common is described once: somebody waits for the description.
  const known = { input: new Map<z.ZodType, Schema>(), output: new Map<z.ZodType, Schema>() };
  return {
    at: (schema, side) => {
      const described = known[side].get(schema) ?? describe(schema, side);
      known[side].set(schema, described);
      return described;
    },
    named: () => Object.fromEntries([...named].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    resolved: (schema) => {
      const { $ref, ...rest } = schema;
      if (typeof $ref !== 'string') return schema;
      return { ...named.get($ref.slice(place.length)), ...rest };
    },
  };
}

/** Refers to a schema by its name. */
export function referenceTo(name: string): Schema {
  return { $ref: `${place}${name}` };
}

/** References lead into the description, and what is not there is left out. */
function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    said.map(([name, one]) => {
      const isReference = name === '$ref' && typeof one === 'string';
      return [name, isReference ? one.replace('#/$defs/', place) : withReferences(one)];
    }),
  );
}

/**
 * Defaults in words: of a field that has one, clients that are generated believe that it is always there, and ask for it
 * in each request.
 */
function defaultsTold(schema: Schema): Schema {
  const { properties } = schema;
  if (properties === undefined) return schema;
  const told = Object.entries(objectOf(properties)).map(([name, value]) => {
    const { default: byDefault, description, ...rest } = objectOf(value);
    if (byDefault === undefined) return [name, value] as const;
    const said = typeof description === 'string' ? `${description} ` : '';
    const words = `${said}By default \`${JSON.stringify(byDefault)}\`.`;
    return [name, { ...rest, description: words }] as const;
  });
  return { ...schema, properties: Object.fromEntries(told) };
}

function objectOf(value: unknown): Schema {
  if (isJsonObject(value)) return value;
  throw new Error('a schema that is no object');
}
