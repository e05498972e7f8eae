import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { InvalidRequest } from '../shared/errors.ts';
import type { EventType, EventTypeDefinition } from './event-type.ts';

/** What happens to an event whose data break the schema of its type: refused, or delivered with a remark. */
export type SchemaRule = 'strict' | 'warn';

// Unknown keywords are remarks, as JSON Schema has it; the first fault is enough to say; nothing is ever fetched.
const ajv = new Ajv2020({ strict: false, logger: false });
addFormats.default(ajv);

const validators = new WeakMap<object, ValidateFunction>();

/** Compiled once for as long as the catalogue that holds the schema is kept. */
function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  try {
    const made = ajv.compile(schema);
    validators.set(schema, made);
    return made;
  } finally {
    // Ajv would keep every schema it has ever seen, and refuse a second one of the same $id.
    ajv.removeSchema(schema);
  }
}

/**
 * Says where data break the schema of their type, in words of the schema: nothing of the data is quoted, not even
 * the name of a field that the schema does not know (R9).
 *
 * @param data As it will be delivered; numbers kept as their text count as the numbers they are.
 * @returns `undefined` when they do not, or when the type has no schema.
 */
export function schemaViolation({ schema }: Pick<EventType, 'schema'>, data: unknown): string | undefined {
  if (schema === undefined) return undefined;
  const validate = validatorOf(schema);
  if (validate(JSON.parse(JSON.stringify(data)))) return undefined;
  const [error] = validate.errors ?? [];
  return `data break the schema of the event type at ${error?.schemaPath ?? '#'}: ${error?.message ?? 'invalid'}`.slice(
    0,
    500,
  );
}

/**
 * Holds what a caller is about to publish against the schema of its type.
 *
 * @returns what is wrong, where the deployment only warns.
 * @throws InvalidRequest `schema_violation` where it is strict.
 */
export function heedSchema(type: EventType, data: unknown, rule: SchemaRule): string | undefined {
  const violation = schemaViolation(type, data);
  if (violation !== undefined && rule === 'strict') {
    throw new InvalidRequest('schema_violation', `${violation}.`, 'data');
  }
  return violation;
}

/**
 * Refuses a definition whose schema is none, or whose example breaks it.
 *
 * @throws InvalidRequest `invalid_schema`, `example_breaks_schema`.
 */
export function refuseBrokenSchema({ schema, example }: EventTypeDefinition): void {
  if (schema === undefined) return;
  try {
    validatorOf(schema);
  } catch (fault) {
    throw new InvalidRequest('invalid_schema', faultOf(fault), 'schema');
  }
  const violation = example === undefined ? undefined : schemaViolation({ schema }, example);
  if (violation !== undefined) throw new InvalidRequest('example_breaks_schema', `${violation}.`, 'example');
}

function faultOf(fault: unknown): string {
  if (fault instanceof Ajv2020.MissingRefError) {
    return 'A $ref leads out of the schema. Nothing is fetched: bring what it means into $defs.';
  }
  const reason = fault instanceof Error ? fault.message.slice(0, 300) : 'it cannot be compiled';
  return `This is no JSON Schema of draft 2020-12: ${reason}.`;
}
