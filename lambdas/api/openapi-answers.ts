import { isList } from '../shared/page.ts';
import type { Route } from '../shared/route.ts';
import { acceptHeaderOf, bodyTypesOf } from './body-type.ts';
import { eitherContent, gatewayContent, problemContent, sentencesOf } from './openapi-problems.ts';
import type { Schemas } from './openapi-schema.ts';
import { problemsOf } from './problems-of.ts';
import type { Refusing } from './problems-of.ts';

const json = 'application/json';

/** Statuses that API Gateway may give, too: it reads the request first, and waits for the function. */
const gatewayToo = new Set(['400', '413', '429', '500']);

const requestId = {
  'x-request-id': { required: true, schema: { type: 'string' }, description: 'To ask by.' },
};
const etag = {
  ETag: {
    required: true,
    schema: { type: 'string', pattern: '^"[A-Za-z0-9_-]{22}(\\.[A-Za-z0-9_-]{22})?"$' },
    description: 'Give it back as `If-None-Match`, and as `If-Match` to what changes it.',
  },
};
const location = {
  Location: {
    required: true,
    schema: { type: 'string' },
    description: 'The path of what was made or begun.',
  },
};
const challenge = {
  'WWW-Authenticate': {
    schema: { type: 'string' },
    description: 'As RFC 6750 has it; which scope is lacking.',
  },
};
const link = {
  Link: { schema: { type: 'string' }, description: 'The next page, `rel="next"`; not on the last one.' },
};
const retryAfter = {
  'Retry-After': {
    schema: { type: 'string', pattern: '^[1-9][0-9]*$' },
    description: 'Seconds; absent where API Gateway answers.',
  },
};
const replayed = {
  'Idempotent-Replayed': {
    schema: { type: 'string', const: 'true' },
    description: 'The answer of the first request with this `Idempotency-Key`.',
  },
};

type Answered = Refusing & Pick<Route, 'answer' | 'tagged' | 'method' | 'mayCreate' | 'bodyTypes'>;

/** Every status that an operation may answer with: what is in it, and its headers. */
export function responsesOf(schemas: Schemas, route: Answered): object {
  const { answer } = route;
  const content =
    answer.schema === undefined
      ? {}
      : { content: { [answer.contentType ?? json]: { schema: schemas.at(answer.schema, 'output') } } };
  const problems = [...problemsOf(route)].map(
    ([status, codes]) =>
      [status, sharedOr(status, codes) ?? refusalOf(schemas, route, { status, codes })] as const,
  );
  return {
    [answer.status]: { description: 'Done.', headers: headersOf(route), ...content },
    ...(route.mayCreate === undefined
      ? {}
      : { 201: { description: 'Made.', headers: { ...headersOf(route), ...location }, ...content } }),
    ...(route.method === 'GET' ? { 304: notModifiedOf(route) } : {}),
    ...(route.scope === 'public' ? { 429: shared('Throttled') } : {}),
    ...Object.fromEntries(problems),
    431: shared('HeadersTooLong'),
    503: shared('Unreachable'),
  };
}

/** Answers that many operations have in common, by their names. */
export function sharedResponses(schemas: Schemas): object {
  const refusals = Object.entries(sharedProblems).map(
    ([name, refused]) => [name, refusalOf(schemas, undefined, refused)] as const,
  );
  return {
    NotModified: notModified,
    Throttled: {
      description: 'API Gateway lets through no more at the moment.',
      content: gatewayContent(schemas),
    },
    HeadersTooLong: {
      description: 'API Gateway takes 10 KB of request line and headers together.',
      content: gatewayContent(schemas),
    },
    Unreachable: {
      description: 'API Gateway reaches nobody at the moment.',
      content: gatewayContent(schemas),
    },
    ...Object.fromEntries(refusals),
  };
}

interface Refused {
  readonly status: string;
  readonly codes: readonly string[];
}

const sharedProblems: Readonly<Record<string, Refused>> = {
  Unauthorized: { status: '401', codes: ['unauthorized'] },
  InsufficientScope: { status: '403', codes: ['insufficient_scope'] },
  Forbidden: { status: '403', codes: ['insufficient_scope', 'enterprise_plan_required'] },
  NotFound: { status: '404', codes: ['not_found'] },
  ChangedMeanwhile: { status: '409', codes: ['changed_meanwhile'] },
  PreconditionFailed: { status: '412', codes: ['changed_meanwhile', 'already_exists'] },
  PayloadTooLarge: { status: '413', codes: ['payload_too_large'] },
  IdempotencyKeyReused: { status: '422', codes: ['idempotency_key_reused'] },
  TooManyRequests: { status: '429', codes: ['too_many_requests'] },
  InternalError: { status: '500', codes: ['internal_error'] },
};

function sharedOr(status: string, codes: readonly string[]): object | undefined {
  const found = Object.entries(sharedProblems).find(
    ([, one]) => one.status === status && one.codes.join() === codes.join(),
  );
  return found && shared(found[0]);
}

function shared(name: string): object {
  return { $ref: `#/components/responses/${name}` };
}

/** @param route for what its own answers have beside the problem */
function refusalOf(schemas: Schemas, route: Answered | undefined, { status, codes }: Refused): object {
  const isBoth = gatewayToo.has(status);
  const description = sentencesOf(status, codes);
  // API Gateway looks at the token, and says so in words of its own: that comes first.
  if (status === '401') {
    const content = { ...gatewayContent(schemas), ...problemContent(codes) };
    return { description, headers: challenge, content };
  }
  return {
    description,
    // API Gateway has a header of its own, apigw-requestid.
    headers: {
      ...(isBoth ? {} : requestId),
      ...(status === '429' ? retryAfter : {}),
      ...(status === '403' ? challenge : {}),
      ...(status === '415' && route !== undefined ? takenTypes(route) : {}),
    },
    content: isBoth ? eitherContent(schemas, codes) : problemContent(codes),
  };
}

function takenTypes(route: Answered): object {
  return {
    [acceptHeaderOf(route.method)]: {
      required: true,
      schema: { type: 'string' },
      description: `What is taken: ${bodyTypesOf(route).join(', ')}.`,
    },
    'Accept-Encoding': {
      schema: { const: 'identity' },
      description: 'When the body was compressed: it is taken as it is, only.',
    },
  };
}

const notModified = { description: 'It is what you have.', headers: { ...requestId, ...etag } };

/** One that has headers of its own has them here, too. */
function notModifiedOf({ answer }: Answered): object {
  if (answer.headers === undefined) return shared('NotModified');
  return { ...notModified, headers: { ...notModified.headers, ...ownHeaders(answer) } };
}

/** Those of one operation, which are always the same. */
function ownHeaders({ headers = {} }: Answered['answer']): object {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      { required: true, schema: { type: 'string', const: value } },
    ]),
  );
}

function headersOf({ answer, method, tagged, query, heedsIdempotencyKey }: Answered): object {
  return {
    ...requestId,
    ...(tagged === undefined && method !== 'GET' ? {} : etag),
    ...(answer.location === undefined ? {} : location),
    ...(isList(query) ? link : {}),
    ...(heedsIdempotencyKey === undefined ? {} : replayed),
    ...ownHeaders(answer),
  };
}
