import { isJsonObject } from '../shared/json.ts';

type Value = Readonly<Record<string, unknown>>;

/** A schema within a schema, or the whole. */
export interface SchemaPart {
  readonly value: Value;
  /** What its references are relative to. */
  readonly base: string;
  /** The part that its `#` means: the whole, or the nearest one around it that has an `$id`. */
  readonly root: Value;
  /** Its own, made absolute. */
  readonly id?: string;
}

/** Keywords that hold data: what looks like a schema in them is none. */
export const dataKeywords = new Set(['const', 'default', 'enum', 'example', 'examples']);

/** Keywords that hold schemas by names, which are no keywords. */
export const mapKeywords = new Set([
  '$defs',
  'definitions',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);

/** Of a schema that has no name; the domain is one that nobody has (RFC 2606). */
const nameless = 'https://schema.invalid/';

/** All schemas of which a schema is made, itself first. */
export function partsOf(schema: object): SchemaPart[] {
  const parts: SchemaPart[] = [];
  const visit = (value: unknown, base: string, root: Value | undefined): void => {
    if (Array.isArray(value)) for (const one of value) visit(one, base, root);
    if (!isJsonObject(value)) return;
    const { $id } = value;
    const id = typeof $id === 'string' ? resolved($id, base) : undefined;
    const part = { value, base: id ?? base, root: id === undefined ? (root ?? value) : value };
    parts.push(id === undefined ? part : { ...part, id });
    for (const [keyword, below] of Object.entries(value)) {
      if (dataKeywords.has(keyword)) continue;
      const isMap = mapKeywords.has(keyword) && isJsonObject(below);
      visit(isMap ? Object.values(below) : below, part.base, part.root);
    }
  };
  visit(schema, nameless, undefined);
  return parts;
}

/**
 * Whether a schema applies itself to the very data that it is applied to: then no data are ever judged by it. A schema
 * that applies itself to a part of the data, such as the branches of a tree, is a good one.
 */
export function leadsInCircle(parts: readonly SchemaPart[]): boolean {
  const targets = targetsOf(parts);
  const next = new Map(parts.map((part) => [part.value, appliedBy(part, targets)]));
  const waiting = new Map(parts.map(({ value }) => [value, 0]));
  const count = (value: Value, by: number) => {
    const left = (waiting.get(value) ?? 0) + by;
    waiting.set(value, left);
    return left;
  };
  for (const values of next.values()) for (const value of values) count(value, 1);
  // Whoever is applied by nobody that is left leaves, too: who stays is part of a circle, or behind one.
  const leaving = [...waiting].filter(([, by]) => by === 0).map(([value]) => value);
  for (const value of leaving) {
    for (const applied of next.get(value) ?? []) if (count(applied, -1) === 0) leaving.push(applied);
  }
  return leaving.length < waiting.size;
}

/** Parts by the absolute URI, or URI and anchor, that a reference may have; of a dynamic one there may be several. */
function targetsOf(parts: readonly SchemaPart[]): ReadonlyMap<string, readonly Value[]> {
  const targets = new Map<string, Value[]>();
  const add = (uri: string, value: Value) => {
    const known = targets.get(uri);
    if (known === undefined) targets.set(uri, [value]);
    else known.push(value);
  };
  for (const { value, base, root, id } of parts) {
    if (id !== undefined || root === value) add(base, value);
    const { $anchor, $dynamicAnchor } = value;
    for (const anchor of [$anchor, $dynamicAnchor])
      if (typeof anchor === 'string') add(`${base}#${anchor}`, value);
    if (typeof $dynamicAnchor === 'string') add(dynamic($dynamicAnchor), value);
  }
  return targets;
}

function dynamic(anchor: string): string {
  return `dynamic#${anchor}`;
}

const appliedLists = ['allOf', 'anyOf', 'oneOf'];
const appliedOnes = ['not', 'if', 'then', 'else'];

/** The parts that one applies to the data that it is applied to itself. */
function appliedBy(part: SchemaPart, targets: ReadonlyMap<string, readonly Value[]>): Value[] {
  const { value } = part;
  const { $ref, $dynamicRef, dependentSchemas } = value;
  const below = [
    ...appliedLists.flatMap((keyword) =>
      Array.isArray(value[keyword]) ? (value[keyword] as unknown[]) : [],
    ),
    ...appliedOnes.map((keyword) => value[keyword]),
    ...(isJsonObject(dependentSchemas) ? Object.values(dependentSchemas) : []),
  ];
  const referred = [
    ...(typeof $ref === 'string' ? referredBy($ref, part, targets) : []),
    ...(typeof $dynamicRef === 'string' ? referredBy($dynamicRef, part, targets) : []),
    ...(typeof $dynamicRef === 'string' ? (targets.get(dynamic($dynamicRef.split('#')[1] ?? '')) ?? []) : []),
  ];
  return [...below, ...referred].filter((one) => isJsonObject(one));
}

/** Nothing for what leads nowhere, which Ajv refuses. */
function referredBy(
  reference: string,
  { base }: SchemaPart,
  targets: ReadonlyMap<string, readonly Value[]>,
): readonly unknown[] {
  const uri = resolved(reference, base);
  if (uri === undefined) return [];
  const [document = '', fragment = ''] = uri.split('#');
  if (!fragment.startsWith('/')) return targets.get(uri) ?? [];
  return (targets.get(document) ?? []).map((root) => standsAt(root, fragment));
}

function standsAt(root: Value, pointer: string): unknown {
  const names = pointer.slice(1).split('/').map(nameOf);
  return names.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined,
    root,
  );
}

function nameOf(escaped: string): string {
  return decoded(escaped).replaceAll('~1', '/').replaceAll('~0', '~');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A reference made absolute; an empty fragment is none. */
function resolved(reference: string, base: string): string | undefined {
  return URL.canParse(reference, base) ? new URL(reference, base).href.replace(/#$/, '') : undefined;
}
