import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Conflict, faultsMax, InvalidRequest, throwAll } from '../shared/errors.ts';
import { plainOf } from '../shared/json.ts';
import type { EventType, EventTypeDefinition } from './event-type.ts';
import { leadsInCircle, partsOf } from './schema-parts.ts';
import type { SchemaPart } from './schema-parts.ts';
import { causeOf, wishOf } from './schema-fault.ts';
import { compileSchema, judgeData } from './schema.ts';
import { OutOfBudget, withinBudget } from './within-budget.ts';

/**
 * Refuses a definition whose schema is none, or none that every event can be held against; or whose example breaks it.
 *
 * @throws InvalidRequest `invalid_schema`, `example_breaks_schema`.
 */
export function refuseBrokenSchema({
  schema,
  example,
}: Pick<EventTypeDefinition, 'schema' | 'example'>): void {
  if (schema === undefined) return;
  throwAll(faultsOf(schema).map((fault) => new InvalidRequest('invalid_schema', fault, 'schema')));
  const judgement = judgeData({ schema }, example ?? {});
  if (example !== undefined && judgement.kind === 'breaks') {
    throw new InvalidRequest('example_breaks_schema', `${judgement.sentence}.`, 'example');
  }
  if (judgement.kind === 'not_judged') {
    throw new InvalidRequest('invalid_schema', `${judgement.sentence}.`, 'schema');
  }
}

/**
 * Refuses a schema that has the name of another type's: whoever generates code from both could not tell them apart.
 *
 * @param own event types as they will be
 * @throws Conflict `schema_id_taken`
 */
export function refuseTakenSchemaId(
  own: readonly EventType[],
  { before, after }: { readonly before: EventType | undefined; readonly after: EventType },
): void {
  const { name, schema } = after;
  const id = idOf(schema);
  // Two that were made at once may have one: each can be changed all the same.
  if (id === idOf(before?.schema)) return;
  const isTaken = id !== undefined && own.some((type) => type.name !== name && idOf(type.schema) === id);
  if (!isTaken) return;
  throw new Conflict('schema_id_taken', 'The schema of another event type has this $id.', 'schema.$id');
}

function idOf(schema: EventType['schema']): string | undefined {
  const id = schema?.['$id'];
  if (typeof id !== 'string') return undefined;
  // Scheme and host have no case (RFC 3986, section 6.2.2.1).
  return (URL.canParse(id) ? new URL(id).href : id).replace(/#$/, '');
}

function faultsOf(schema: object): string[] {
  try {
    const faults = withinBudget(readingMsMax, () => readFaults(schema));
    if (faults.length === 0) compileSchema(schema, readingMsMax);
    return faults;
  } catch (fault) {
    return [sentenceOf(fault, schema)];
  }
}

/** Less than compiling it later may take: what is taken here is not too slow there. The largest takes 0.3 s of a CPU. */
const readingMsMax = 1_500;

/** What can be told without compiling it: of what we say, each kind once; of what the draft says, each place. */
function readFaults(schema: object): string[] {
  const parts = partsOf(schema);
  const faults: string[] = [];
  if (parts.some(({ value }) => Object.hasOwn(value, '$async'))) {
    faults.push('$async is no keyword of JSON Schema: leave it out.');
  }
  if (parts.some(({ id }) => id !== undefined && isOfDraft(id))) {
    faults.push(
      'An $id of json-schema.org names a draft of JSON Schema: give the schema an $id of your own, or none.',
    );
  }
  if (parts.some(({ value }) => isDangling(value['$dynamicRef'], parts))) {
    faults.push('A $dynamicRef leads to no $dynamicAnchor of the schema: add one, or write $ref.');
  }
  if (leadsInCircle(parts)) {
    faults.push('A $ref leads back to itself without going into the data, and would never end.');
  }
  // Numbers kept as their text are numbers.
  if (draft.validateSchema(plainOf(schema)) === true) return faults;
  const byPlace = Map.groupBy(draft.errors ?? [], ({ instancePath }) => instancePath);
  // Of one place the first: what is said after it is of the alternatives that it has, or of what refers there.
  const ofDraft = [...byPlace].map(
    ([place, [error]]) => `#${place} ${error === undefined ? '' : wishOf(error)}`,
  );
  return [...faults, ...ofDraft.slice(0, faultsMax).map((fault) => `${noSchema}: ${fault}.`.slice(0, 500))];
}

/** Ajv takes such a reference for one to the whole schema. An empty anchor is that, indeed; without # it is refused by Ajv. */
function isDangling(reference: unknown, parts: readonly SchemaPart[]): boolean {
  if (typeof reference !== 'string' || !/^#./.test(reference)) return false;
  return !parts.some(({ value }) => value['$dynamicAnchor'] === reference.slice(1));
}

const noSchema = 'This is no JSON Schema of draft 2020-12';

function isOfDraft(id: string): boolean {
  return /^https?:\/\/json-schema\.org\/draft/i.test(id);
}

/** Knows the draft and nothing else: what is held against it is not remembered. */
const draft = new Ajv2020({ strict: false, logger: false, allErrors: true });
addFormats.default(draft);

function sentenceOf(fault: unknown, schema: object): string {
  if (fault instanceof Ajv2020.MissingRefError) {
    const { missingSchema } = fault;
    const isWithin = missingSchema === '' || partsOf(schema).some(({ id }) => id === missingSchema);
    return isWithin
      ? 'A $ref leads to nothing in the schema: mend its path, or add what it means to $defs.'
      : 'A $ref leads out of the schema. Nothing is fetched: bring what it means into $defs.';
  }
  if (fault instanceof OutOfBudget) return 'The schema takes too long to be read: simplify it.';
  return `${noSchema}. ${causeOf(fault)}`;
}
