import { z } from 'zod';
import { noBody } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { acceptHeaderOf, bodyTypesOf } from './body-type.ts';
import { schemaOf } from './openapi-schema.ts';
import { problem } from './problem.ts';

/** What API Gateway itself says, before or instead of a function. */
const gatewayMessage = z.object({ message: z.string().nullable() });

/** Schemas that answers refer to. */
export const answerSchemas = {
  Problem: schemaOf(problem, 'output'),
  GatewayMessage: schemaOf(gatewayMessage, 'output'),
};

const json = 'application/json';
const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const gatewayContent = { [json]: { schema: { $ref: '#/components/schemas/GatewayMessage' } } };

/** What may be refused besides what every operation may: the codes are in docs/codes.md. */
const refusals = {
  400: 'The request cannot be understood, or breaks a rule.',
  403: 'The token lacks a scope, or the organization a plan.',
  404: 'There is no such thing, or it belongs to somebody else.',
  409: 'It contradicts what is stored.',
  412: 'It is not what you have seen, or it is there already.',
  413: 'The body is too large.',
  422: 'The Idempotency-Key belongs to another request.',
  429: 'Too often.',
  500: 'Something of ours failed.',
} as const;

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

type Answered = Pick<
  Route,
  | 'answer'
  | 'scope'
  | 'tagged'
  | 'heedsIdempotencyKey'
  | 'query'
  | 'method'
  | 'mayCreate'
  | 'body'
  | 'bodyTypes'
>;

/** Every status that an operation may answer with: what is in it, and its headers. */
export function responsesOf(route: Answered): object {
  const { answer, scope } = route;
  const problems = Object.entries(refusals).map(
    ([status, description]) => [status, refusalOf(status, description)] as const,
  );
  const content =
    answer.schema === undefined
      ? {}
      : { content: { [answer.contentType ?? json]: { schema: schemaOf(answer.schema, 'output') } } };
  return {
    [answer.status]: { description: 'Done.', headers: headersOf(route), ...content },
    ...(route.mayCreate === undefined
      ? {}
      : { 201: { description: 'Made.', headers: { ...headersOf(route), ...location }, ...content } }),
    ...(route.method === 'GET'
      ? { 304: { description: 'It is what you have.', headers: { ...requestId, ...etag } } }
      : {}),
    ...Object.fromEntries(problems),
    ...(scope === 'public' ? {} : { 401: unauthorized }),
    ...(route.body === noBody ? {} : { 415: unsupported(route) }),
    431: { description: 'API Gateway takes 10 KB of request line and headers together.' },
    503: { description: 'API Gateway reaches nobody at the moment.', content: gatewayContent },
  };
}

/** API Gateway looks at the token, and says so in words of its own. */
const unauthorized = {
  description: 'There is no token, or it is not valid.',
  headers: challenge,
  content: { ...problemContent, ...gatewayContent },
};

function unsupported(route: Answered): object {
  return {
    description: `The body is sent as something else than ${bodyTypesOf(route).join(' or ')}.`,
    headers: {
      ...requestId,
      [acceptHeaderOf(route.method)]: {
        required: true,
        schema: { type: 'string' },
        description: 'What is taken.',
      },
    },
    content: problemContent,
  };
}

function headersOf({ answer, method, tagged, query, heedsIdempotencyKey }: Answered): object {
  const isList = query instanceof z.ZodObject && 'cursor' in query.shape;
  return {
    ...requestId,
    ...(tagged === undefined && method !== 'GET' ? {} : etag),
    ...(answer.location === undefined ? {} : location),
    ...(isList ? link : {}),
    ...(heedsIdempotencyKey === undefined ? {} : replayed),
  };
}

function refusalOf(status: string, description: string): object {
  const isBoth = gatewayToo.has(status);
  return {
    description,
    // API Gateway has a header of its own, apigw-requestid.
    headers: {
      ...(isBoth ? {} : requestId),
      ...(status === '429' ? retryAfter : {}),
      ...(status === '403' ? challenge : {}),
    },
    content: { ...problemContent, ...(isBoth ? gatewayContent : {}) },
  };
}
