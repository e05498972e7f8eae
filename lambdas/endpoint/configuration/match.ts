import { allOf, Conflict, InvalidRequest } from '../../shared/errors.ts';
import type { Endpoint } from '../endpoint.ts';
import { nameTaken } from '../judge.ts';
import type { ConfiguredEndpoint } from './configuration.ts';

/**
 * Which endpoint each entry of a configuration means: the one of its id, else the one of its name; `undefined` for a
 * new one. An id that is unknown here comes from another organization, and its name counts.
 *
 * @param entries what is not clear of them is for `refuseUnclear` to say
 */
export function matchAll(
  entries: readonly ConfiguredEndpoint[],
  stored: readonly Endpoint[],
): (Endpoint | undefined)[] {
  return allNamed(entries, stored).map(([meant]) => meant);
}

/**
 * Refuses entries of which nobody can tell what endpoint they mean.
 *
 * @throws InvalidRequest `missing_name`, `unknown_endpoint`, `duplicate_endpoint`; Conflict `ambiguous_name`.
 */
export function refuseUnclear(
  entries: readonly ConfiguredEndpoint[],
  stored: readonly Endpoint[],
): Promise<void> {
  const known = new Set(stored.map(({ id }) => id));
  const named = allNamed(entries, stored);
  return allOf(
    () =>
      refuseTwice(
        entries.map(({ id }) => (id !== undefined && known.has(id) ? id : undefined)),
        'id',
      ),
    () =>
      refuseTwice(
        entries.map(({ name }) => name),
        'name',
      ),
    ...entries.map(({ id, name }, index) => () => {
      const field = `endpoints.${String(index)}`;
      if (id !== undefined && known.has(id)) return;
      if (name === undefined) throw id === undefined ? missingName(field) : unknownEndpoint(field);
      if ((named[index]?.length ?? 0) > 1) throw ambiguousName(field);
    }),
  );
}

/** The endpoints that each entry may mean: one of its id, or those of its name that no other entry means by its id. */
function allNamed(entries: readonly ConfiguredEndpoint[], stored: readonly Endpoint[]): Endpoint[][] {
  const byId = new Map(stored.map((endpoint) => [endpoint.id, endpoint]));
  const taken = new Set(entries.map(({ id }) => id));
  return entries.map(({ id, name }) => {
    const meant = id === undefined ? undefined : byId.get(id);
    if (meant !== undefined) return [meant];
    return name === undefined ? [] : stored.filter((one) => one.name === name && !taken.has(one.id));
  });
}

/**
 * @param values of one field of all entries
 * @throws InvalidRequest `duplicate_endpoint` for each that stands there a second time.
 */
export function refuseTwice(values: readonly (string | undefined)[], field: 'id' | 'name'): Promise<void> {
  const seen = new Set<string>();
  return allOf(
    ...values.map((value, index) => () => {
      if (value === undefined) return;
      if (seen.has(value)) throw twice(`endpoints.${String(index)}.${field}`);
      seen.add(value);
    }),
  );
}

/**
 * Refuses a name that an endpoint has which the configuration does not mention, and which stays.
 *
 * @throws Conflict `name_taken`
 */
export function refuseNamesOf(staying: readonly Endpoint[], entries: readonly ConfiguredEndpoint[]): void {
  const names = new Set(staying.flatMap(({ name }) => (name === undefined ? [] : [name])));
  const index = entries.findIndex(({ name }) => name !== undefined && names.has(name));
  if (index !== -1) throw nameTaken().at(`endpoints.${String(index)}`);
}

function twice(field: string): InvalidRequest {
  return new InvalidRequest('duplicate_endpoint', 'The configuration has this endpoint twice.', field);
}

function ambiguousName(field: string): Conflict {
  return new Conflict(
    'ambiguous_name',
    'Two endpoints have this name: rename one of them first.',
    `${field}.name`,
  );
}

function missingName(field: string): InvalidRequest {
  return new InvalidRequest(
    'missing_name',
    'An endpoint without an id needs a name, by which the next import knows it.',
    `${field}.name`,
  );
}

function unknownEndpoint(field: string): InvalidRequest {
  return new InvalidRequest(
    'unknown_endpoint',
    'There is no endpoint of this id here. Give it a name, too, to make one.',
    `${field}.id`,
  );
}
