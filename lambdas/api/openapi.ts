import { z } from 'zod';
import { noBody } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { problem } from './problem.ts';

/** What describes an operation: everything but the function that handles it. */
export type Described = Omit<Route, 'run'>;

/** A JSON Schema as OpenAPI 3.1 takes it: the 2020-12 dialect. */
type Schema = Readonly<Record<string, unknown>>;

const securityScheme = 'bearer';
const json = 'application/json';

/** The API's description in OpenAPI 3.1, made from the very schemas that validate its requests and show its answers. */
export function openApi(routes: readonly Described[]): object {
  const paths = Map.groupBy(routes, ({ path }) => path);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tidings',
      version: '1',
      summary: 'Webhooks of organizations: endpoints, secrets, events, deliveries, dead letters',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Wherever the description is served.
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths: Object.fromEntries(
      [...paths].map(([path, own]) => [
        path,
        Object.fromEntries(own.map((route) => [route.method.toLowerCase(), operationOf(route)])),
      ]),
    ),
    components: {
      securitySchemes: {
        [securityScheme]: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Names the organization in a claim, and what it may in its scopes.',
        },
      },
      schemas: { Problem: schemaOf(problem, 'output') },
    },
  };
}

/** What an operation is about: the first word of its path below the organization. */
export function tagOf({ path }: Described): string {
  const words = path.split('/').filter((word) => word !== '' && word !== 'v1' && !word.startsWith('{'));
  const word = words.find((one) => one !== 'organizations') ?? 'organizations';
  return tags[word] ?? word;
}

/** Those that are called otherwise than their path. */
const tags: Readonly<Record<string, string>> = {
  '.well-known': 'signing-keys',
  'openapi.json': 'description',
  reference: 'description',
  export: 'configuration',
  import: 'configuration',
};

function operationOf(route: Described): object {
  const { operationId, summary, scope, params, query, body } = route;
  const isPublic = scope === 'public';
  return {
    operationId,
    summary,
    tags: [tagOf(route)],
    ...(isPublic ? {} : { description: `Takes a token with the scope \`${scope}\`.` }),
    security: isPublic ? [] : [{ [securityScheme]: [scope] }],
    parameters: [
      ...parametersOf(params, 'path'),
      ...parametersOf(query, 'query'),
      ...(route.heedsIfMatch === undefined ? [] : [ifMatch]),
      ...(route.heedsIdempotencyKey === undefined ? [] : [idempotencyKey]),
    ],
    ...(body === noBody ? {} : { requestBody: bodyOf(body) }),
    responses: responsesOf(route),
  };
}

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description: 'The ETag of what you have seen: the operation is refused if somebody has changed it since.',
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 16, maxLength: 255, pattern: '^[!-~]+$' },
  description:
    'Your own key for this request, such as a random UUID: sent again within a day, it is answered as the first ' +
    'time, and not done twice. It also encrypts the answer that is kept: choose one that nobody guesses.',
};

const etag = { ETag: { schema: { type: 'string' }, description: 'Give it back as `If-Match`.' } };

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): object[] {
  const { properties, required } = objectSchema.parse(schemaOf(schema, 'input'));
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: one,
  }));
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

function bodyOf(body: z.ZodType): object {
  return {
    required: !body.safeParse(undefined).success,
    content: { [json]: { schema: schemaOf(body, 'input') } },
  };
}

/** What may be refused besides what every operation may: the codes are in docs/codes.md. */
const refusals = {
  400: 'The request cannot be understood, or breaks a rule.',
  403: 'The token lacks a scope, or the organization a plan.',
  404: 'There is no such thing, or it belongs to somebody else.',
  409: 'It contradicts what is stored.',
  412: 'It is not what you have seen.',
  413: 'The body is too large.',
  422: 'The Idempotency-Key belongs to another request.',
  429: 'Too often.',
  500: 'Something of ours failed.',
} as const;

function responsesOf({ answer, scope, tagged }: Described): object {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  const problems = Object.entries(refusals).map(
    ([status, description]) => [status, { description, content }] as const,
  );
  return {
    [answer.status]: {
      description: 'Done.',
      ...(tagged === undefined ? {} : { headers: etag }),
      ...(answer.schema === undefined
        ? {}
        : { content: { [answer.contentType ?? json]: { schema: schemaOf(answer.schema, 'output') } } }),
    },
    ...Object.fromEntries(problems),
    ...(scope === 'public' ? {} : { 401: { description: 'There is no token, or it is not valid.' } }),
  };
}

/** What JSON Schema cannot say, such as how two fields depend on each other, is left to the operation's refusals. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const described: Schema = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(described).filter(([name]) => name !== '$schema'));
}
