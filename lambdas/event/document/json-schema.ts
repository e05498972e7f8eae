import { readOrKeep } from '../../shared/errors.ts';
import type { InvalidRequest } from '../../shared/errors.ts';
import { isJsonObject } from '../../shared/json.ts';
import type { EventType } from '../event-type.ts';
import { isTypeNamed } from './proposal.ts';
import type { Proposal } from './proposal.ts';
import { below, childrenOf, extract, placed, workOfDocument } from './reference.ts';
import type { Place, Work } from './reference.ts';

const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** The catalogue as one JSON Schema: `$defs` has the schema of each type's `data` by its name. */
export function jsonSchemaOf(types: readonly EventType[]): object {
  return {
    $schema: dialect,
    title: 'Event types',
    description: 'What events of each type have in data.',
    $defs: Object.fromEntries(types.map((type) => [type.name, definitionOf(type)])),
  };
}

/** The schema stands in `allOf`, so that its own title, description and examples remain its own. */
function definitionOf({ name, category, description, example, schema, deprecated }: EventType): object {
  return {
    title: name,
    description,
    'x-category': category,
    ...(deprecated === undefined ? {} : { deprecated: true, 'x-deprecated': deprecated }),
    ...(example === undefined ? {} : { examples: [example] }),
    ...(schema === undefined ? {} : { allOf: [placed(schema, `/$defs/${name}/allOf/0`)] }),
  };
}

/** What a definition says of the type; all else in it is the schema of the data. */
const said = new Set(['title', 'description', 'deprecated', 'examples', 'x-category', 'x-deprecated']);

/**
 * The event types that a JSON Schema describes in its `$defs`.
 *
 * @param refusals takes those of types that cannot be read: `invalid_reference`
 */
export function proposalsOfJsonSchema(document: unknown, refusals: InvalidRequest[]): Proposal[] {
  const source = { document, work: workOfDocument() };
  return childrenOf(below({ pointer: '', value: document }, '$defs')).flatMap(
    ([name, place]) => readOrKeep(refusals, () => proposalOf(source, name, place)) ?? [],
  );
}

interface Source {
  readonly document: unknown;
  readonly work: Work;
}

function proposalOf(source: Source, name: string, place: Place): Proposal {
  const { value } = place;
  if (!isJsonObject(value) || !isTypeNamed(name, value['x-category'])) return { name, place };
  const { examples } = value;
  const [example] = Array.isArray(examples) ? (examples as unknown[]) : [];
  return {
    name,
    place,
    definition: {
      category: value['x-category'],
      description: value['description'] ?? name,
      example,
      schema: schemaOf(source, place, value),
      deprecated: value['x-deprecated'] ?? (value['deprecated'] === true ? {} : undefined),
    },
  };
}

function schemaOf(
  { document, work }: Source,
  place: Place,
  definition: Readonly<Record<string, unknown>>,
): unknown {
  const keywords = Object.entries(definition).filter(([keyword]) => !said.has(keyword));
  const { allOf } = definition;
  if (keywords.length === 1 && Array.isArray(allOf) && allOf.length === 1) {
    return extract(document, below(place, 'allOf', '0'), work);
  }
  if (keywords.length === 0) return undefined;
  return extract(document, { ...place, value: Object.fromEntries(keywords) }, work);
}
