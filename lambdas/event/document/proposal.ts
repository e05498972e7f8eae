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
