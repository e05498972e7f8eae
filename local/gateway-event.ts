import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodePath } from './gateway-routes.ts';
import type { Match } from './gateway-routes.ts';
import type { Claims } from './identity.ts';

export interface Received {
  readonly request: IncomingMessage;
  /** URL of the request, for its path and query. */
  readonly url: URL;
  readonly body: Buffer;
  readonly match: Match;
  /** Present on a route with an authorizer. */
  readonly claims?: Claims;
  readonly nowMs: number;
}

/**
 * The request as an HTTP API hands it to a function: payload format 2.0.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toEvent({ request, url, body, match, claims, nowMs }: Received): Record<string, unknown> {
  const { cookies, headers } = headersOf(request);
  const isBase64Encoded = !isText(headers['content-type'] ?? '') || !isUtf8(body);
  const query = queryOf(url);
  // What stands behind an encoded question mark is lost: the gateway decodes the path, and then takes it for a query.
  const [rawPath] = decodePath(url.pathname).split('?', 1);
  return {
    version: '2.0',
    routeKey: match.route.key,
    rawPath,
    rawQueryString: url.search.slice(1),
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(query === undefined ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      ...(claims === undefined ? {} : { authorizer: { jwt: jwtOf(claims, match) } }),
      domainName: (headers['host'] ?? '127.0.0.1').replace(/:\d+$/, ''),
      domainPrefix: 'local',
      http: {
        method: request.method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: match.route.key,
      stage: '$default',
      time: logTime(nowMs),
      timeEpoch: nowMs,
    },
    ...(Object.keys(match.pathParameters).length > 0 ? { pathParameters: match.pathParameters } : {}),
    ...(body.length > 0 ? { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') } : {}),
    isBase64Encoded: body.length > 0 && isBase64Encoded,
  };
}

/** Names in lower case, several values joined by commas, cookies apart. */
function headersOf(request: IncomingMessage) {
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct)) {
    if (name !== 'cookie') headers[name] = values.join(',');
  }
  headers['x-forwarded-for'] = request.socket.remoteAddress ?? '127.0.0.1';
  headers['x-forwarded-port'] = String(request.socket.localPort ?? 0);
  headers['x-forwarded-proto'] = 'http';
  const cookies = (request.headersDistinct['cookie'] ?? [])
    .flatMap((line) => line.split(/;\s*/))
    .filter(Boolean);
  return { cookies, headers };
}

function queryOf(url: URL): Record<string, string> | undefined {
  const names = [...new Set(url.searchParams.keys())];
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name).join(',')]));
}

/** These come as text; everything else, forms and missing types included, comes as base64. */
function isText(contentType: string): boolean {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  return /^(text\/.*|application\/(json|javascript|xml|.*\+json|.*\+xml))$/.test(type);
}

/** Claims are strings here whatever they were in the token; a list becomes `[a b]`, and one that is null is left out. */
function jwtOf(claims: Claims, match: Match) {
  const asText = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(asText).join(' ')}]`;
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  return {
    claims: Object.fromEntries(
      Object.entries(claims)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => [name, asText(value)]),
    ),
    scopes: match.route.authorizer?.scopes.length ? scopesOf(claims) : null,
  };
}

/** Scopes that a token holds: `scope` or `scp`, a list or words in a string. */
export function scopesOf(claims: Claims): readonly string[] {
  const held = claims['scope'] ?? claims['scp'];
  if (Array.isArray(held)) return held.map(String);
  return typeof held === 'string' ? held.split(' ').filter(Boolean) : [];
}

/** `23/Nov/2026:10:00:00 +0000`, as access logs write it. */
function logTime(nowMs: number): string {
  const [, day, month, year, time] = new Date(nowMs).toUTCString().split(' ');
  return `${day ?? ''}/${month ?? ''}/${year ?? ''}:${time ?? ''} +0000`;
}
