import { z } from 'zod';
import { noBody } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { anyJson, bodyTypesOf } from './body-type.ts';
import { answerSchemas, responsesOf } from './openapi-answers.ts';
import { schemaOf } from './openapi-schema.ts';

/** What describes an operation: everything but the function that handles it. */
export type Described = Omit<Route, 'run'>;

const securityScheme = 'bearer';

/** The API's description in OpenAPI 3.1, made from the very schemas that validate its requests and show its answers. */
export function openApi(routes: readonly Described[]): object {
  const paths = Map.groupBy(routes, ({ path }) => path);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tidings',
      version: '1',
      summary: 'Webhooks of organizations: endpoints, secrets, events, deliveries, dead letters',
      description:
        'Wherever there is GET, HEAD is answered, too. A body is JSON in UTF-8; what says that it is something else is ' +
        'refused (415). All that is wrong with a request is told at once, in `errors`.',
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
      schemas: answerSchemas,
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
      ...(route.method === 'GET' ? [ifNoneMatch] : []),
      ...(route.mayCreate === undefined ? [] : [onlyIfMissing]),
      ...(route.heedsIdempotencyKey === undefined ? [] : [idempotencyKey]),
    ],
    ...(body === noBody ? {} : { requestBody: bodyOf(route) }),
    responses: responsesOf(route),
  };
}

/** A header that nobody need send. */
const header = (name: string, description: string, schema: object = { type: 'string' }) => ({
  ...{ name, in: 'header', required: false, schema, description },
});

const ifMatch = header(
  'If-Match',
  'The ETag of what you have seen: the operation is refused if somebody has changed it since.',
);
const ifNoneMatch = header(
  'If-None-Match',
  'The ETag of the answer that you have: if it is still the same, it is not sent again (304).',
);
const onlyIfMissing = header(
  'If-None-Match',
  '`*` makes it, and refuses (412) to change what is there already.',
);
const idempotencyKey = header(
  'Idempotency-Key',
  'Your own key for this request, such as a random UUID: sent again within a day, it is answered as the first ' +
    'time, and not done twice. It also encrypts the answer that is kept: choose one that nobody guesses.',
  { type: 'string', minLength: 16, maxLength: 255, pattern: '^[!-~]+$' },
);

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

function bodyOf(route: Described): object {
  const content = { schema: schemaOf(route.body, 'input') };
  // A range is nothing that a client could send.
  const types = bodyTypesOf(route).flatMap((type) => (type === anyJson ? documentTypes : [type]));
  return {
    required: !route.body.safeParse(undefined).success,
    content: Object.fromEntries(types.map((type) => [type, content])),
  };
}

/** Documents in JSON that an operation which takes any of them will meet. */
const documentTypes = ['application/schema+json', 'application/vnd.aai.asyncapi+json'];
