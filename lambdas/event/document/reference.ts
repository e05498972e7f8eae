import { InvalidRequest, TooLarge } from '../../shared/errors.ts';
import { isJsonObject } from '../../shared/json.ts';
import { dataKeywords, mapKeywords } from '../schema-parts.ts';

/** How many parts of a document may still be looked at. */
export interface Work {
  left: number;
}

const boundless: Work = { left: Infinity };

/**
 * For a whole document: each part of it once, and as often as a catalogue could hold it at most (2 MiB). Types that
 * refer to the same parts bring copies of them, so a document of 1 MiB may ask for gigabytes.
 */
export function workOfDocument(): Work {
  return { left: 1_000_000 };
}

function tooMuch(): TooLarge {
  return new TooLarge(
    'document_too_large',
    'The event types of this document refer to so much that no catalogue could hold it: import fewer at a time.',
  );
}

/**
 * Rewrites the references of a JSON Schema. A schema with an `$id` stands for itself, wherever it is: its references
 * are left as they are (JSON Schema 2020-12, 8.2.1).
 */
function mapReferences(schema: unknown, map: (reference: string) => string, work: Work = boundless): unknown {
  work.left -= 1;
  if (work.left < 0) throw tooMuch();
  if (Array.isArray(schema)) return schema.map((one) => mapReferences(one, map, work));
  if (!isJsonObject(schema) || typeof schema['$id'] === 'string') return schema;
  const mapped = (key: string, value: unknown): unknown => {
    if (key === '$ref' && typeof value === 'string') return map(value);
    if (dataKeywords.has(key)) return value;
    if (!mapKeywords.has(key) || !isJsonObject(value)) return mapReferences(value, map, work);
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, mapReferences(one, map, work)]),
    );
  };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, mapped(key, value)]));
}

/** A schema as it stands at a place of a document: references to itself lead there. */
export function placed(schema: unknown, pointer: string): unknown {
  return mapReferences(schema, (reference) =>
    reference === '#' || reference.startsWith('#/') ? `#${pointer}${reference.slice(1)}` : reference,
  );
}

/** A place of a document, as a JSON Pointer (RFC 6901), and what stands there. */
export interface Place {
  readonly pointer: string;
  readonly value: unknown;
}

/** The place below another one; nothing stands at one that is not there. */
export function below({ pointer, value }: Place, ...names: readonly string[]): Place {
  let at: Place = { pointer, value };
  for (const name of names) {
    at = {
      pointer: `${at.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      value: ownOf(at.value, name),
    };
  }
  return at;
}

function ownOf(value: unknown, name: string): unknown {
  const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return isThere ? Reflect.get(value, name) : undefined;
}

/** All places right below another one, with their names. */
export function childrenOf(place: Place): (readonly [name: string, child: Place])[] {
  const { value } = place;
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).map((name) => [name, below(place, name)] as const);
}

/**
 * Follows references from a place that is nothing else.
 *
 * @throws InvalidRequest `invalid_reference`
 */
export function follow(document: unknown, from: Place): Place {
  let at = from;
  for (let hop = 0; hop < 100; hop += 1) {
    const reference =
      isJsonObject(at.value) && Object.keys(at.value).length === 1 ? at.value['$ref'] : undefined;
    if (typeof reference !== 'string') return at;
    at = placeOf(document, reference, from);
  }
  throw broken(from, 'References of the document lead in a circle.');
}

/**
 * A schema of a document as one that stands for itself: what it refers to elsewhere in the document comes along in
 * its `$defs`.
 *
 * @param work shared by all types of a document
 * @throws InvalidRequest `invalid_reference`; TooLarge `document_too_large`
 */
export function extract(document: unknown, root: Place, work = workOfDocument()): unknown {
  const taken = new Set(childrenOf(below(root, '$defs')).map(([name]) => name));
  const gathered = new Map<string, { readonly name: string; readonly value: unknown }>();
  const map = (reference: string): string => {
    if (!reference.startsWith('#/')) return reference;
    // A long one costs more to follow.
    work.left -= reference.length / 16;
    const { pointer, value } = placeOf(document, reference, root);
    if (pointer === root.pointer || pointer.startsWith(`${root.pointer}/`)) {
      return encodeURI(`#${pointer.slice(root.pointer.length)}`);
    }
    const known = gathered.get(pointer);
    if (known !== undefined) return `#/$defs/${known.name}`;
    const name = nameOf(pointer, taken, work);
    taken.add(name);
    gathered.set(pointer, { name, value });
    return `#/$defs/${name}`;
  };
  const schema = mapReferences(root.value, map, work);
  if (gathered.size === 0 || !isJsonObject(schema)) return schema;
  const own = isJsonObject(schema['$defs']) ? schema['$defs'] : {};
  const brought: (readonly [name: string, schema: unknown])[] = [];
  // Grows as it is walked through: a long chain of references is not a deep one of calls.
  for (const { name, value } of gathered.values()) brought.push([name, mapReferences(value, map, work)]);
  return { ...schema, $defs: { ...own, ...Object.fromEntries(brought) } };
}

/** A place as the path of a field. */
export function fieldOf({ pointer }: Place): string {
  return namesOf(pointer).join('.');
}

function placeOf(document: unknown, reference: string, from: Place): Place {
  if (!reference.startsWith('#/')) throw broken(from, 'Only references within the document are followed.');
  const names = namesOf(decoded(reference.slice(1), from));
  const at = below({ pointer: '', value: document }, ...names);
  if (at.value === undefined) throw broken(from, 'A $ref leads to nothing.');
  return at;
}

function decoded(pointer: string, from: Place): string {
  try {
    return decodeURIComponent(pointer);
  } catch {
    throw broken(from, 'A $ref cannot be read.');
  }
}

function namesOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function nameOf(pointer: string, taken: ReadonlySet<string>, work: Work): string {
  const name = (namesOf(pointer).at(-1) ?? '').replaceAll(/[^A-Za-z0-9_.-]/g, '_');
  let tried = name;
  for (let number = 2; taken.has(tried); number += 1) {
    work.left -= 1;
    if (work.left < 0) throw tooMuch();
    tried = `${name}_${String(number)}`;
  }
  return tried;
}

function broken(from: Place, message: string): InvalidRequest {
  return new InvalidRequest('invalid_reference', message, fieldOf(from));
}
