import { z } from 'zod';

/** A JSON Schema as OpenAPI 3.1 takes it: the 2020-12 dialect. */
type Schema = Readonly<Record<string, unknown>>;

/** What JSON Schema cannot say, such as how two fields depend on each other, is left to the operation's refusals. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const described: Schema = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(described).filter(([name]) => name !== '$schema'));
}
