import { z } from 'zod';
import { noBody } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { anyJson, bodyTypesOf } from './body-type.ts';
import { responsesOf, sharedResponses } from './openapi-answers.ts';
import { nameAnswers } from './openapi-names.ts';
import { allSchemas } from './openapi-problems.ts';
import { makeSchemas } from './openapi-schema.ts';
import type { Schemas } from './openapi-schema.ts';
import { tagDescriptions, tagOf } from './openapi-tags.ts';
import { webhookParameters, webhookResponses, webhooksOf } from './openapi-webhooks.ts';

/** What describes an operation: everything but the function that handles it. */
export type Described = Omit<Route, 'run'>;

const securityScheme = 'bearer';

/** The API's description in OpenAPI 3.1, made from the very schemas that validate its requests and show its answers. */
export function openApi(routes: readonly Described[]): object {
  nameAnswers(routes);
  const schemas = makeSchemas();
  const groups = [...Map.groupBy(routes, ({ path }) => path)];
  const operationsOf = (own: readonly Described[]): object =>
    Object.fromEntries(own.map((route) => [route.method.toLowerCase(), operationOf(schemas, route)]));
  return {
    openapi: '3.1.1',
    info,
    // Wherever the description is served.
    servers: [{ url: '/' }],
    tags: Object.entries(tagDescriptions).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(groups.map(([path, own]) => [path, operationsOf(own)])),
    webhooks: webhooksOf(schemas),
    components: {
      securitySchemes: { [securityScheme]: bearer },
      parameters: webhookParameters,
      responses: { ...sharedResponses(schemas), ...webhookResponses },
      schemas: allSchemas(schemas),
    },
  };
}

const info = {
  title: 'Tidings',
  version: '1',
  summary: 'Webhooks of organizations: endpoints, secrets, events, deliveries, dead letters',
  description:
    'Wherever there is GET, HEAD is answered, too. A body is JSON in UTF-8; what says that it is something else is ' +
    'refused (415). All that is wrong with a request is told at once, in `errors`. A refusal is a problem document ' +
    '(RFC 9457) with a stable `code`: each operation lists those that it can give.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

const bearer = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'Names the organization in a claim, and what it may in its scopes.',
};

function operationOf(schemas: Schemas, route: Described): object {
  const { operationId, summary, scope, params, query, body } = route;
  const isPublic = scope === 'public';
  return {
    operationId,
    summary,
    tags: [tagOf(route)],
    ...(isPublic ? {} : { description: `Takes a token with the scope \`${scope}\`.` }),
    security: isPublic ? [] : [{ [securityScheme]: [scope] }],
    parameters: [
      ...parametersOf(schemas, params, 'path'),
      ...parametersOf(schemas, query, 'query'),
      ...(route.heedsIfMatch === undefined ? [] : [ifMatch]),
      ...(route.method === 'GET' ? [ifNoneMatch] : []),
      ...(route.mayCreate === undefined ? [] : [onlyIfMissing]),
      ...(route.heedsIdempotencyKey === undefined ? [] : [idempotencyKey]),
    ],
    ...(body === noBody ? {} : { requestBody: bodyOf(schemas, route) }),
    responses: responsesOf(schemas, route),
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

function parametersOf(schemas: Schemas, schema: z.ZodType, place: 'path' | 'query'): object[] {
  const { properties, required } = objectSchema.parse(schemas.at(schema, 'input'));
  return Object.entries(properties).map(([name, { description, ...one }]) => ({
    name,
    in: place,
    required: required.includes(name),
    description: description ?? schemas.resolved(one)['description'],
    schema: one,
  }));
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.looseObject({ description: z.string().optional() })).default({}),
  required: z.array(z.string()).default([]),
});

function bodyOf(schemas: Schemas, route: Described): object {
  const content = { schema: schemas.at(route.body, 'input') };
  // A range is nothing that a client could send.
  const types = bodyTypesOf(route).flatMap((type) => (type === anyJson ? documentTypes : [type]));
  return {
    required: !route.body.safeParse(undefined).success,
    content: Object.fromEntries(types.map((type) => [type, content])),
  };
}

/** Documents in JSON that an operation which takes any of them will meet. */
const documentTypes = ['application/schema+json', 'application/vnd.aai.asyncapi+json'];
