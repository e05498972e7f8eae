import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { InvalidRequest } from '../shared/errors.ts';
import type { EventType, EventTypeDefinition } from './event-type.ts';

/** What happens to an event whose data break the schema of its type: refused, or delivered with a remark. */
export type SchemaRule = 'strict' | 'warn';

/**
 * Unknown keywords are remarks, as JSON Schema has it; the first fault is enough to say; nothing is ever fetched. One
 * for each schema: Ajv holds on to all that it has ever compiled, and refuses a second schema of the same $id.
 */
function makeAjv(validateSchema: boolean): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, logger: false, validateSchema });
  addFormats.default(ajv);
  return ajv;
}

/** Compiled schemas by their text: the catalogue is read again twice a minute, and compiling one takes 20 ms. */
const validators = new LRUCache<string, ValidateFunction>({
  max: 500,
  // A whole catalogue (define-type.ts), compiled: measured, 6 bytes for each of the schema's.
  maxSize: 16 * 2 ** 20,
  sizeCalculation: (_validator, text) => 8 * text.length,
});

function validatorOf(schema: object): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = validators.get(text);
  if (known !== undefined) return known;
  // What is stored has been held against the draft when it was defined.
  const made = makeAjv(false).compile(schema);
  validators.set(text, made);
  return made;
}

/**
 * Says where data break the schema of their type, in words of the schema: nothing of the data is quoted, not even
 * the name of a field that the schema does not know: it is payload.
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
    void makeAjv(true).validateSchema(schema, true);
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
