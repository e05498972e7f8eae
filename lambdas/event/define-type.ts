import { allNow, Conflict, InvalidRequest, TooLarge } from '../shared/errors.ts';
import { builtInEventTypes } from './catalogue.ts';
import type { EventType, EventTypeDefinition } from './event-type.ts';
import { refuseBrokenSchema } from './refuse-schema.ts';

/** All of them are read at once, by every function that routes, and shown in one answer: so they are bounded. */
const ownTypesMax = 500;
const definitionBytesMax = 64 * 1024;
const catalogueBytesMax = 2 * 1024 * 1024;

/** An event type as an operator wants it. */
export interface WantedType {
  readonly name: string;
  readonly definition: EventTypeDefinition;
}

/** An event type before and after a change. */
export interface TypeChange {
  readonly before: EventType | undefined;
  readonly after: EventType;
}

/**
 * What an event type of the deployment's own will be.
 *
 * @param own event types that an operator has added so far
 * @param at ISO time; since then it is deprecated when neither the definition nor what is there says since when
 * @param known event types as they will be
 * @throws Conflict `built_in_event_type`; TooLarge `event_type_too_large`; InvalidRequest `invalid_schema`,
 * `example_breaks_schema`, `unknown_event_type`.
 */
export function changeOf(
  own: readonly EventType[],
  { name, definition }: WantedType,
  { at, known }: { readonly at: string; readonly known: readonly Pick<EventType, 'name'>[] },
): TypeChange {
  refuseBuiltIn(name);
  if (bytesOf(definition) > definitionBytesMax) {
    throw new TooLarge(
      'event_type_too_large',
      `An event type may have ${String(definitionBytesMax)} bytes, schema and example included.`,
    );
  }
  refuseUnusable(known, definition);
  const before = own.find((type) => type.name === name);
  return {
    before,
    after: { ...definition, ...deprecationOf(definition, before, at), name, isBuiltIn: false },
  };
}

/**
 * Refuses what has the right form and cannot be used, all of it at once.
 *
 * @param known event types as they will be
 * @throws InvalidRequest `invalid_schema`, `example_breaks_schema`, `unknown_event_type`
 */
export function refuseUnusable(
  known: readonly Pick<EventType, 'name'>[],
  definition: Pick<EventTypeDefinition, 'schema' | 'example' | 'deprecated'>,
): void {
  allNow(
    () => {
      refuseBrokenSchema(definition);
    },
    () => {
      refuseUnknownReplacement(known, definition);
    },
  );
}

/** Whether an event type comes with Tidings. */
export function isBuiltIn(name: string): boolean {
  return builtInEventTypes.some((type) => type.name === name);
}

/** @throws Conflict `built_in_event_type` */
export function refuseBuiltIn(name: string): void {
  if (!isBuiltIn(name)) return;
  throw new Conflict(
    'built_in_event_type',
    'This event type comes with Tidings and cannot be changed.',
    'name',
  );
}

/** The event types of the deployment's own after some of them have been changed. */
export function ownAfter(own: readonly EventType[], changes: readonly TypeChange[]): EventType[] {
  return [
    ...new Map([...own, ...changes.map(({ after }) => after)].map((type) => [type.name, type])).values(),
  ];
}

/**
 * Refuses more event types than there can be.
 *
 * @throws Conflict `too_many_event_types`, `catalogue_too_large`
 */
export function refuseTooMany(own: readonly EventType[]): void {
  refuseTooManyNames(new Set(own.map(({ name }) => name)));
  if (own.reduce((sum, type) => sum + bytesOf(type), 0) > catalogueBytesMax) {
    throw new Conflict(
      'catalogue_too_large',
      `All event types of your own together may have ${String(catalogueBytesMax)} bytes: shorten their schemas.`,
    );
  }
}

/** @throws Conflict `too_many_event_types` */
export function refuseTooManyNames(names: ReadonlySet<string>): void {
  if (names.size <= ownTypesMax) return;
  throw new Conflict(
    'too_many_event_types',
    `There can be ${String(ownTypesMax)} event types of your own: remove those that nobody needs.`,
  );
}

/**
 * @param own those of the deployment's own, as they will be
 * @throws InvalidRequest `unknown_event_type`
 */
export function refuseUnknownReplacement(
  own: readonly Pick<EventType, 'name'>[],
  { deprecated }: Pick<EventTypeDefinition, 'deprecated'>,
): void {
  const name = deprecated?.replacedBy;
  if (name === undefined || isBuiltIn(name) || own.some((type) => type.name === name)) return;
  throw new InvalidRequest(
    'unknown_event_type',
    'There is no event type of this name to take its place.',
    'deprecated.replacedBy',
  );
}

function bytesOf(type: object): number {
  return Buffer.byteLength(JSON.stringify(type));
}

/** Since when it is deprecated: as the operator says, else as it was said first. */
function deprecationOf(
  { deprecated }: EventTypeDefinition,
  before: EventType | undefined,
  at: string,
): Pick<EventType, 'deprecated'> {
  if (deprecated === undefined) return {};
  return { deprecated: { ...deprecated, since: deprecated.since ?? before?.deprecated?.since ?? at } };
}
