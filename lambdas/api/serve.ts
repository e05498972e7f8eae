import type {
  APIGatewayEventRequestContextJWTAuthorizer,
  APIGatewayEventRequestContextV2,
  APIGatewayProxyEventV2WithRequestContext,
} from 'aws-lambda';
import { z } from 'zod';
import { MethodNotAllowed, NotFound, readOrKeep, Refusal, Unauthorized } from '../shared/errors.ts';
import type { InvalidRequest } from '../shared/errors.ts';
import { isKnown } from '../shared/etag.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import { isList } from '../shared/page.ts';
import { noBody } from '../shared/route.ts';
import type { Answer, Caller, KeyedRequest, Route } from '../shared/route.ts';
import type { Now } from '../shared/time.ts';
import { deployment } from '../shared/versions.ts';
import { admit } from './admit.ts';
import type { AdmitPorts } from './admit.ts';
import { auditOf } from './audit/keep-audit.ts';
import type { AuditedRequest, AuditPorts } from './audit/keep-audit.ts';
import { callerOf } from './caller.ts';
import type { ClaimNames } from './caller.ts';
import { definedOf, matchOf, methodsOf } from './match.ts';
import type { Match } from './match.ts';
import { DoneUntold, once, refuseNoKey } from './once.ts';
import type { OncePorts } from './once.ts';
import { faultAnswer, problemOf } from './problem.ts';
import type { HttpAnswer } from './problem.ts';
import type { LimitRate } from './rate-limit.ts';
import { refuseForeignBody } from './body-type.ts';
import { bodyOf, bodyTextOf, hasBody } from './request-body.ts';
import { readQuery } from './read-query.ts';
import { openCursor, sealCursor } from './seal-cursor.ts';
import type { List } from './seal-cursor.ts';

export interface ServePorts extends AdmitPorts {
  readonly routes: readonly Route[];
  readonly claimNames: ClaimNames;
  readonly now: Now;
  readonly log: Log;
  readonly limitRate: LimitRate;
  /** Only a function that serves no list, and whose operations make and change nothing, does without. */
  readonly habits?: Habits;
}

/** What operations that list, make or change have in common. */
export interface Habits {
  readonly readCursorKey: () => Promise<Uint8Array>;
  readonly once: OncePorts;
  readonly audit: AuditPorts;
}

export type HttpRequest = APIGatewayProxyEventV2WithRequestContext<
  APIGatewayEventRequestContextV2 & { authorizer?: APIGatewayEventRequestContextJWTAuthorizer }
>;

/** Answers a request of the HTTP API. Never throws: what is not a refusal is our fault, and answered as such. */
export async function serve(ports: ServePorts, request: HttpRequest): Promise<HttpAnswer> {
  const startedMs = ports.now();
  const { requestId, http } = request.requestContext;
  const match = matchOf(ports.routes, http.method, request.rawPath);
  let answer: HttpAnswer;
  let fault: string | undefined;
  try {
    answer = await perform(ports, match, request);
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
  // Nobody is to guess what an answer is: it is what it says.
  const headers = { ...answer.headers, 'x-request-id': requestId, 'x-content-type-options': 'nosniff' };
  return { ...answer, headers, body: http.method === 'HEAD' ? '' : answer.body };
}

async function perform(
  ports: ServePorts,
  match: Match | undefined,
  request: HttpRequest,
): Promise<HttpAnswer> {
  if (match === undefined) throw unserved(ports.routes, request.rawPath);
  // A public route has no authorizer, and so no claims; a request that came past the authorizer of another is nobody's.
  if (match.route.scope !== 'public' && request.requestContext.authorizer === undefined) {
    throw new Unauthorized('unauthorized', 'This takes a token: authorization: Bearer …');
  }
  const caller = callerOf(request.requestContext.authorizer?.jwt.claims, ports.claimNames);
  const { route, params } = match;
  const { organizationId } = params;
  if (route.scope !== 'public') await ports.limitRate(caller.subject);
  await admit(ports, route, { caller, organizationId });
  const refusals: InvalidRequest[] = [];
  const run = (keyed?: KeyedRequest) => answered(ports, match, { request, caller, refusals, keyed });
  const key = route.heedsIdempotencyKey && request.headers['idempotency-key'];
  if (ports.habits === undefined || key === undefined || organizationId === undefined) return run();
  readOrKeep(refusals, () => {
    refuseNoKey(key);
  });
  if (refusals.length > 0) return run();
  const { rawPath, rawQueryString, body = '', requestContext } = request;
  const parts = [requestContext.http.method, rawPath, rawQueryString, body];
  return once(ports.habits.once, { key, organizationId, subject: caller.subject, parts }, run);
}

function unserved(routes: readonly Route[], path: string): Refusal {
  const methods = methodsOf(routes, path);
  return methods.length === 0 ? new NotFound('route') : new MethodNotAllowed(methods);
}

interface Asked {
  readonly request: HttpRequest;
  readonly caller: Caller;
  readonly refusals: InvalidRequest[];
  readonly keyed: KeyedRequest | undefined;
}

async function answered(
  { habits }: ServePorts,
  match: Match,
  { request, caller, refusals, keyed }: Asked,
): Promise<HttpAnswer> {
  const { route, params } = match;
  const query = readQuery(request, refusals);
  const list = { path: request.rawPath, query };
  if (hasBody(request)) refuseForeignBody(route, request.headers);
  const parts = {
    params,
    body: givenBody(request, route),
    bodyText: () => bodyTextOf(request),
    refusals,
    caller,
    keyed,
    ifMatch: request.headers['if-match'],
    ifNoneMatch: request.headers['if-none-match'],
  };
  const told = (answer: Answer) => unlessKnown(answerOf(answer, list), route, parts.ifNoneMatch);
  if (habits === undefined) return told(await route.run({ ...parts, query }));
  const { cursor = '' } = query;
  const cursorKey = 'cursor' in query && isList(route.query) ? await habits.readCursorKey() : undefined;
  const open = (key: Uint8Array) => readOrKeep(refusals, () => openCursor(key, list, cursor));
  const place = cursorKey === undefined ? {} : { cursor: open(cursorKey) };
  const { audited, say } = auditOf(habits.audit, auditedRequest(match, caller, request.requestContext));
  let answer: Answer;
  try {
    answer = await route.run({ ...parts, query: { ...query, ...place }, audited });
  } catch (fault) {
    // Of several changes some may have been made; if this fails, too, they are seen within half a minute.
    await say().catch(() => undefined);
    throw fault;
  }
  const seal = async (found: string) => sealCursor(await habits.readCursorKey(), list, found);
  const done = told(await sealed(answer, seal));
  await say().catch((fault: unknown) => {
    throw new DoneUntold(done, fault);
  });
  return done;
}

/** The answer of a GET, or that the caller has it already (RFC 9110, section 15.4.5). */
function unlessKnown(answer: HttpAnswer, { method }: Route, ifNoneMatch: string | undefined): HttpAnswer {
  if (method !== 'GET' || !isKnown(ifNoneMatch, answer.headers['etag'])) return answer;
  const { 'content-type': _, ...headers } = answer.headers;
  return { statusCode: 304, headers, body: '' };
}

/** A body is read only for an operation that takes one: others refuse it by its presence, whatever it is. */
function givenBody(request: HttpRequest, route: Route): unknown {
  if (route.body !== noBody) return bodyOf(request, route.bodyBytesMax);
  return hasBody(request) ? {} : undefined;
}

function auditedRequest(
  { route, params }: Match,
  caller: Caller,
  { requestId }: HttpRequest['requestContext'],
): AuditedRequest {
  return {
    organizationId: params['organizationId'] ?? deployment,
    by: { subject: caller.subject, isOperator: caller.scopes.has('webhooks:operate') },
    operation: route.operationId,
    leavesConfiguration: route.leavesConfiguration,
    target: definedOf(params),
    requestId,
  };
}

const page = z.looseObject({ data: z.unknown(), nextCursor: z.string() });

/** The answer with its cursor sealed; most answers have none. */
async function sealed(answer: Answer, seal: (place: string) => Promise<string>): Promise<Answer> {
  if (typeof answer.nextCursor === 'string') return { ...answer, nextCursor: await seal(answer.nextCursor) };
  const body = page.safeParse(answer.body);
  if (!body.success) return answer;
  return { ...answer, body: { ...body.data, nextCursor: await seal(body.data.nextCursor) } };
}

function answerOf(answer: Answer, { path, query }: List): HttpAnswer {
  const { status, body, cacheSeconds, contentType, etag, nextCursor, location } = answer;
  const next = nextCursor == null ? undefined : new URLSearchParams({ ...query, cursor: nextCursor });
  const headers = {
    'cache-control': cacheSeconds === undefined ? 'no-store' : `public, max-age=${cacheSeconds}`,
    ...answer.headers,
    ...(etag === undefined ? {} : { etag }),
    ...(location === undefined ? {} : { location }),
    // RFC 8288.
    ...(next === undefined ? {} : { link: `<${path}?${next.toString()}>; rel="next"` }),
  };
  if (body === undefined) return { statusCode: status, headers, body: '' };
  return {
    statusCode: status,
    headers: { ...headers, 'content-type': contentType ?? 'application/json' },
    body: typeof body === 'string' && contentType !== undefined ? body : JSON.stringify(body),
  };
}
