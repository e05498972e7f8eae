import type { Route } from '../shared/route.ts';

/** A route, and what the path says for its parameters. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** The operation that a method and path name; `/v1/a/{b}` in a route matches one segment that is not empty. */
export function matchOf(routes: readonly Route[], method: string, path: string): Match | undefined {
  for (const route of routes) {
    const params = route.method === method ? paramsOf(route, path) : undefined;
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

/** The methods that a path has operations for. */
export function methodsOf(routes: readonly Route[], path: string): string[] {
  const methods = routes.filter((route) => paramsOf(route, path) !== undefined).map(({ method }) => method);
  return [...new Set(methods)];
}

/** `undefined` when the path is another one. */
function paramsOf(route: Route, path: string): Match['params'] | undefined {
  const given = path.split('/');
  const wanted = route.path.split('/');
  if (wanted.length !== given.length) return undefined;
  const pairs = wanted.map((part, index) => [part, given[index] ?? ''] as const);
  if (!pairs.every(([part, text]) => (part.startsWith('{') ? text !== '' : part === text))) return undefined;
  const named = pairs.filter(([part]) => part.startsWith('{'));
  return Object.fromEntries(named.map(([part, text]) => [part.slice(1, -1), text]));
}
