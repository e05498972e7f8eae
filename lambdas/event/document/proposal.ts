import type { Refusal } from '../../shared/errors.ts';
import { definedName } from '../event-type.ts';
import type { Place } from './reference.ts';

/** An event type as a document describes it, before anything in it has been checked. */
export interface Proposal {
  readonly name: string;
  readonly place: Place;
  /** By the names of `EventTypeDefinition`; absent when it is no event type, such as a part that others refer to. */
  readonly definition?: Readonly<
    Record<'category' | 'description' | 'example' | 'schema' | 'deprecated', unknown>
  >;
}

/**
 * Whether what a document knows by a name is an event type. Most of what has a name of one word is a part of others,
 * `Address` or `Money`: it is a type only when a category is given to it.
 */
export function isTypeNamed(name: string, category: unknown): boolean {
  return definedName.safeParse(name).success && (name.includes('.') || category !== undefined);
}

/** The same refusal of an event type, with the names that its fields have in both kinds of document. */
export function asWritten<Fault extends Refusal>(refusal: Fault): Fault {
  const named = (field: string | undefined) => field?.replace(/^(?:category|deprecated)(?=$|\.)/, 'x-$&');
  refusal.field = named(refusal.field);
  refusal.faults = refusal.faults.map(({ field, ...fault }) =>
    field === undefined ? fault : { ...fault, field: named(field) ?? field },
  );
  return refusal;
}
