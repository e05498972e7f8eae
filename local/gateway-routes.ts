import type { Expected } from './identity.ts';

/** A route of the HTTP API, as the template's Route, Integration and Authorizer describe it together. */
export interface Route {
  /** `ANY /v1/{proxy+}` or `$default`. */
  readonly key: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly authorizer?: Authorizer;
}

export interface Authorizer extends Expected {
  /** Scopes of which the token must hold at least one; empty where the route asks for none. */
  readonly scopes: readonly string[];
}

export interface Match {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/**
 * Finds the route for a request: the most specific wins, comparing segment by segment a word before a
 * `{parameter}` before a `{greedy+}`, and then a method before `ANY`; `$default` comes last.
 *
 * @param path Path of the request, still percent-encoded.
 */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match | undefined {
  const candidates = routes.flatMap((route) => {
    const pathParameters = parametersOf(route.key, method, path);
    return pathParameters === undefined ? [] : [{ route, pathParameters }];
  });
  return candidates.toSorted((a, b) => compare(rankOf(b.route.key), rankOf(a.route.key)))[0];
}

function parametersOf(key: string, method: string, path: string): Record<string, string> | undefined {
  if (key === '$default') return {};
  const [routeMethod, pattern] = partsOf(key);
  if (routeMethod !== 'ANY' && routeMethod !== method) return undefined;
  const segments = path.slice(1).split('/');
  const found: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined || (part.startsWith('{') && segment === '')) return undefined;
    if (part.endsWith('+}')) {
      found[part.slice(1, -2)] = decodePath(segments.slice(index).join('/'));
      return found;
    }
    if (part.startsWith('{')) found[part.slice(1, -1)] = decodePath(segment);
    else if (part !== segment) return undefined;
  }
  return segments.length === pattern.length ? found : undefined;
}

function partsOf(key: string): [method: string, pattern: string[]] {
  const [method = '', path = ''] = key.split(' ');
  return [method, path.slice(1).split('/')];
}

function rankOf(key: string): number[] {
  if (key === '$default') return [];
  const [method, pattern] = partsOf(key);
  const ranks = pattern.map((part) => {
    if (part.endsWith('+}')) return 1;
    return part.startsWith('{') ? 2 : 3;
  });
  return [...ranks, method === 'ANY' ? 0 : 0.5];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? -1) - (b[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An HTTP API hands the path on decoded; what cannot be decoded stays as it came. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
