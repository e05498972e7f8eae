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

type Taking = Pick<Route, 'method' | 'body' | 'bodyTypes'>;

/**
 * Refuses a body that says it is something else than the operation takes, or compressed. One that says nothing is read
 * as JSON.
 *
 * @throws UnsupportedType
 */
export function refuseForeignBody(
  route: Taking,
  headers: Readonly<Record<string, string | undefined>>,
): void {
  // Who sends a body where there is none is told that.
  if (route.body === noBody) return;
  refuseOtherTypes(route, headers['content-type']);
  refuseEncoding(route, headers['content-encoding']);
}

function refuseOtherTypes(route: Taking, contentType: string | undefined): void {
  if (contentType === undefined) return;
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const types = bodyTypesOf(route);
  const isTaken = types.some(
    (one) => one === type || (one === anyJson && /^application\/[^/]+\+json$/.test(type)),
  );
  const isUtf8 = parameters.every((one) => !one.startsWith('charset=') || /^charset="?utf-?8"?$/.test(one));
  if (isTaken && isUtf8) return;
  const message = `The body must be sent as content-type: ${types.join(' or ')}, in UTF-8.`;
  throw new UnsupportedType(message, takenBy(route));
}

/** RFC 9110, section 15.5.16. */
function refuseEncoding(route: Taking, contentEncoding = 'identity'): void {
  const codings = contentEncoding.split(',').map((coding) => coding.trim().toLowerCase());
  if (codings.every((coding) => coding === '' || coding === 'identity')) return;
  const message = 'The body must be sent as it is, without content-encoding such as gzip.';
  throw new UnsupportedType(message, { ...takenBy(route), 'accept-encoding': 'identity' });
}

function takenBy(route: Taking): Readonly<Record<string, string>> {
  return { [acceptHeaderOf(route.method).toLowerCase()]: bodyTypesOf(route).join(', ') };
}

/** Every document in JSON. */
export const anyJson = 'application/*+json';
