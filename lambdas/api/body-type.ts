import { UnsupportedType } from '../shared/errors.ts';
import { noBody } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';

const json = 'application/json';

/** Media types that an operation takes as its body; `application/*+json` stands for every document in JSON. */
export function bodyTypesOf({ method, bodyTypes }: Pick<Route, 'method' | 'bodyTypes'>): readonly string[] {
  // A PATCH is read as RFC 7396 has it, by whatever name it comes.
  return bodyTypes ?? (method === 'PATCH' ? [json, 'application/merge-patch+json'] : [json]);
}

/** The header that names them: of W3C's Linked Data Platform, of RFC 5789, and of RFC 9110, section 12.5.1. */
export function acceptHeaderOf(method: Route['method']): 'Accept-Post' | 'Accept-Patch' | 'Accept' {
  if (method === 'POST') return 'Accept-Post';
  return method === 'PATCH' ? 'Accept-Patch' : 'Accept';
}

/**
 * Refuses a body that says it is something else than the operation takes. One that says nothing is read as JSON.
 *
 * @throws UnsupportedType
 */
export function refuseOtherTypes(
  route: Pick<Route, 'method' | 'body' | 'bodyTypes'>,
  contentType: string | undefined,
): void {
  // Who sends a body where there is none is told that.
  if (contentType === undefined || route.body === noBody) return;
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const types = bodyTypesOf(route);
  const isTaken = types.some(
    (one) => one === type || (one === anyJson && /^application\/[^/]+\+json$/.test(type)),
  );
  const isUtf8 = parameters.every((one) => !one.startsWith('charset=') || /^charset="?utf-?8"?$/.test(one));
  if (isTaken && isUtf8) return;
  throw new UnsupportedType(`The body must be sent as content-type: ${types.join(' or ')}, in UTF-8.`, {
    [acceptHeaderOf(route.method).toLowerCase()]: types.join(', '),
  });
}

/** Every document in JSON. */
export const anyJson = 'application/*+json';
