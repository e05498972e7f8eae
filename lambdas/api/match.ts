import type { Route } from '../shared/route.ts';

/** A route, and what the path says for its parameters. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** The operation that a method and path name; `/v1/a/{b}` in a route matches one segment that is not empty. */
export function matchOf(routes: readonly Route[], method: string, path: string): Match | undefined {
  const given = path.split('/');
  for (const route of routes) {
    const wanted = route.path.split('/');
    if (route.method !== method || wanted.length !== given.length) continue;
    const pairs = wanted.map((part, index) => [part, given[index] ?? ''] as const);
    if (!pairs.every(([part, text]) => (part.startsWith('{') ? text !== '' : part === text))) continue;
    const named = pairs.filter(([part]) => part.startsWith('{'));
    return { route, params: Object.fromEntries(named.map(([part, text]) => [part.slice(1, -1), text])) };
  }
  return undefined;
}
