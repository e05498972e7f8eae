import type { Route } from '../shared/route.ts';

/** A route, and what the path says for its parameters. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/**
 * The operation that a method and path name; `/v1/a/{b}` in a route matches one segment that is not empty, and words
 * win over parameters (OpenAPI 3.1, 4.8.8).
 */
export function matchOf(routes: readonly Route[], method: string, path: string): Match | undefined {
  // Whatever is read by GET is looked at by HEAD (RFC 9110, section 9.1).
  const wanted = method === 'HEAD' ? 'GET' : method;
  return matchesOf(routes, path).find(({ route }) => route.method === wanted);
}

/** The methods that a path has operations for. */
export function methodsOf(routes: readonly Route[], path: string): string[] {
  return matchesOf(routes, path).flatMap(({ route }) =>
    route.method === 'GET' ? ['GET', 'HEAD'] : [route.method],
  );
}

function matchesOf(routes: readonly Route[], path: string): Match[] {
  const given = path.split('/');
  const matches = routes.flatMap((route) => {
    const params = paramsOf(route, given);
    return params === undefined ? [] : [{ route, params }];
  });
  const fewest = Math.min(...matches.map(({ params }) => Object.keys(params).length));
  return matches.filter(({ params }) => Object.keys(params).length === fewest);
}

/** `undefined` when the path is another one. */
function paramsOf(route: Route, given: readonly string[]): Match['params'] | undefined {
  const wanted = route.path.split('/');
  if (wanted.length !== given.length) return undefined;
  const pairs = wanted.map((part, index) => [part, given[index] ?? ''] as const);
  if (!pairs.every(([part, text]) => (part.startsWith('{') ? text !== '' : part === text))) return undefined;
  const named = pairs.filter(([part]) => part.startsWith('{'));
  return Object.fromEntries(named.map(([part, text]) => [part.slice(1, -1), text]));
}

/** What a path names beside its organization. */
export function definedOf(params: Match['params']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) =>
      value === undefined || name === 'organizationId' ? [] : [[name, value]],
    ),
  );
}
