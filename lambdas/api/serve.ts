import type {
  APIGatewayEventRequestContextJWTAuthorizer,
  APIGatewayEventRequestContextV2,
  APIGatewayProxyEventV2WithRequestContext,
} from 'aws-lambda';
import { InvalidRequest, NotFound, Refusal, TooLarge } from '../shared/errors.ts';
import { jsonDepth, jsonDepthMax, parseJson } from '../shared/json.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import type { Answer, Route } from '../shared/route.ts';
import type { Now } from '../shared/time.ts';
import { admit } from './admit.ts';
import type { AdmitPorts } from './admit.ts';
import { callerOf } from './caller.ts';
import { faultAnswer, problemOf } from './problem.ts';
import type { HttpAnswer } from './problem.ts';

export interface ServePorts extends AdmitPorts {
  readonly routes: readonly Route[];
  readonly organizationClaim: string;
  readonly now: Now;
  readonly log: Log;
}

export type HttpRequest = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { authorizer?: APIGatewayEventRequestContextJWTAuthorizer }
>;

/** Room for the largest event and its JSON escapes; the gateway's own limit is 10 MB. */
const bodyBytesMax = 1_048_576;

/** Answers a request of the HTTP API. Never throws: what is not a refusal is our fault, and answered as such. */
export async function serve(ports: ServePorts, request: HttpRequest): Promise<HttpAnswer> {
  const startedMs = ports.now();
  const { requestId, http } = request.requestContext;
  const match = matchOf(ports.routes, http.method, request.rawPath);
  let answer: HttpAnswer;
  let fault: string | undefined;
  try {
    answer = answerOf(await perform(ports, match, request));
  } catch (thrown) {
    fault = thrown instanceof Refusal ? thrown.code : nameOfFault(thrown);
    answer = thrown instanceof Refusal ? problemOf(thrown, requestId) : faultAnswer(requestId);
  }
  ports.log('request.served', {
    operation: match?.route.operationId,
    organizationId: match?.params['organizationId'],
    status: answer.statusCode,
    code: fault,
    durationMs: ports.now() - startedMs,
  });
  return { ...answer, headers: { ...answer.headers, 'x-request-id': requestId } };
}

interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string | undefined>>;
}

async function perform(ports: ServePorts, match: Match | undefined, request: HttpRequest): Promise<Answer> {
  if (match === undefined) throw new NotFound('route');
  // A public route has no authorizer, and so no claims.
  const caller = callerOf(request.requestContext.authorizer?.jwt.claims, ports.organizationClaim);
  await admit(ports, match.route, { caller, organizationId: match.params['organizationId'] });
  return match.route.run({
    params: match.params,
    query: request.queryStringParameters ?? {},
    body: bodyOf(request),
    caller,
    ifMatch: request.headers['if-match'],
  });
}

/** The operation that a method and path name; `/v1/a/{b}` in a route matches one segment. */
function matchOf(routes: readonly Route[], method: string, path: string): Match | undefined {
  const given = path.split('/');
  for (const route of routes) {
    const wanted = route.path.split('/');
    if (route.method !== method || wanted.length !== given.length) continue;
    const pairs = wanted.map((part, index) => [part, given[index] ?? ''] as const);
    if (!pairs.every(([part, text]) => part.startsWith('{') || part === text)) continue;
    const named = pairs.filter(([part]) => part.startsWith('{'));
    return { route, params: Object.fromEntries(named.map(([part, text]) => [part.slice(1, -1), text])) };
  }
  return undefined;
}

/**
 * The parsed body; `undefined` when there is none.
 *
 * @throws TooLarge, InvalidRequest
 */
function bodyOf({ body, isBase64Encoded }: HttpRequest): unknown {
  if (body === undefined || body === '') return undefined;
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > bodyBytesMax) {
    throw new TooLarge('payload_too_large', `A request may have ${String(bodyBytesMax)} bytes.`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidRequest('invalid_json', 'The body is not JSON in UTF-8.');
  }
  if (jsonDepth(text) > jsonDepthMax) {
    throw new InvalidRequest('invalid_json', `The body is nested deeper than ${jsonDepthMax} levels.`);
  }
  try {
    return parseJson(text);
  } catch {
    throw new InvalidRequest('invalid_json', 'The body is not JSON in UTF-8.');
  }
}

function answerOf({ status, body, cacheSeconds, contentType, etag }: Answer): HttpAnswer {
  const headers = {
    'cache-control': cacheSeconds === undefined ? 'no-store' : `public, max-age=${cacheSeconds}`,
    ...(etag === undefined ? {} : { etag }),
  };
  if (body === undefined) return { statusCode: status, headers, body: '' };
  return {
    statusCode: status,
    headers: { ...headers, 'content-type': contentType ?? 'application/json' },
    body: typeof body === 'string' && contentType !== undefined ? body : JSON.stringify(body),
  };
}
