import { Conflict, InvalidRequest } from '../../shared/errors.ts';
import type { Endpoint } from '../endpoint.ts';
import { nameTaken } from '../judge.ts';
import type { ConfiguredEndpoint } from './configuration.ts';

/**
 * Which endpoint each entry of a configuration means: the one of its id, else the one of its name; `undefined` for a
 * new one. An id that is unknown here comes from another organization, and its name counts.
 *
 * @throws InvalidRequest `missing_name`, `unknown_endpoint`, `duplicate_endpoint`; Conflict `ambiguous_name`.
 */
export function matchAll(
  entries: readonly ConfiguredEndpoint[],
  stored: readonly Endpoint[],
): (Endpoint | undefined)[] {
  const byId = new Map(stored.map((endpoint) => [endpoint.id, endpoint]));
  const taken = new Set<string>();
  const byIds = entries.map(({ id }, index) => {
    const endpoint = id === undefined ? undefined : byId.get(id);
    if (endpoint === undefined) return undefined;
    if (taken.has(endpoint.id)) throw twice(`endpoints.${String(index)}.id`);
    taken.add(endpoint.id);
    return endpoint;
  });
  refuseTwice(entries);
  return entries.map((entry, index) => byIds[index] ?? byName(entry, index));

  function byName({ id, name }: ConfiguredEndpoint, index: number): Endpoint | undefined {
    const field = `endpoints.${String(index)}`;
    if (name === undefined) throw id === undefined ? missingName(field) : unknownEndpoint(field);
    const [named, ...others] = stored.filter((one) => one.name === name && !taken.has(one.id));
    if (others.length === 0) return named;
    throw new Conflict(
      'ambiguous_name',
      'Two endpoints have this name: rename one of them first.',
      `${field}.name`,
    );
  }
}

/** @throws InvalidRequest `duplicate_endpoint` when two entries have one name. */
function refuseTwice(entries: readonly ConfiguredEndpoint[]): void {
  const names = new Set<string>();
  for (const [index, { name }] of entries.entries()) {
    if (name === undefined) continue;
    if (names.has(name)) throw twice(`endpoints.${String(index)}.name`);
    names.add(name);
  }
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
