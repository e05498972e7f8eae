import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openApi } from '../../../lambdas/api/openapi.ts';
import { allProblemCodes, problemCodes } from '../../../lambdas/api/problem-codes.ts';
import { builtInEventTypes } from '../../../lambdas/event/catalogue.ts';
import { bodyOf } from '../../../lambdas/event/event.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { aService } from './a-service.ts';

interface Response {
  content?: object;
  headers?: object;
}

interface Operation {
  operationId: string;
  tags: string[];
  security: object[];
  parameters: object[];
  responses: Record<string, Response | { $ref: string } | undefined>;
}

const { routes, ask } = aService();
const document = JSON.parse(JSON.stringify(openApi(routes))) as {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  webhooks: Record<string, Record<string, Operation & { requestBody: object }>>;
  components: {
    schemas: Record<string, object>;
    responses: Record<string, Response>;
    parameters: Record<string, object>;
  };
};
const { components } = document;
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
const webhooks = Object.values(document.webhooks).flatMap((methods) => Object.values(methods));

function responseOf(response: Response | { $ref: string } | undefined): Response | undefined {
  if (response === undefined || !('$ref' in response)) return response;
  return components.responses[response.$ref.replace('#/components/responses/', '')];
}

/** Each object in a value, with its path. */
function* objectsIn(value: unknown, path = '#'): Generator<[path: string, object: Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, { ...value }];
  for (const [name, one] of Object.entries(value)) yield* objectsIn(one, `${path}/${name}`);
}

describe('the description of the API', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('holds every operation once', () => {
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(
      routes.map(({ operationId }) => operationId).toSorted(),
    );
  });

  it('names the scope of each, and of no public one', () => {
    const scopeOf = new Map(routes.map(({ operationId, scope }) => [operationId, scope]));
    for (const { operationId, security } of operations) {
      const scope = scopeOf.get(operationId);
      expect(security).toEqual(scope === 'public' ? [] : [{ bearer: [scope] }]);
    }
  });

  it('has a parameter for every name in a path', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(methods)) {
        const inPath = parameters.filter((one) => 'in' in one && one.in === 'path');
        expect(inPath.map((one) => ('name' in one ? one.name : ''))).toEqual(names);
      }
    }
  });

  it('says of each what API Gateway answers in its place, and the id of the request in every other answer', () => {
    for (const { responses, security } of operations) {
      expect(Object.keys(responseOf(responses['503'])?.content ?? {})).toEqual(['application/json']);
      expect(responses['401'] !== undefined).toBe(security.length > 0);
      const missing = responseOf(responses['404']);
      if (missing === undefined) continue;
      expect(Object.keys(missing.content ?? {})).toEqual(['application/problem+json']);
      expect(missing.headers).toMatchObject({ 'x-request-id': { required: true } });
    }
  });

  it('says what each parameter is', () => {
    const parameters = operations.flatMap((operation) => operation.parameters);
    for (const parameter of [...parameters, ...Object.values(components.parameters)]) {
      expect(parameter).toMatchObject({ description: expect.stringMatching(/\w/) as unknown });
    }
  });

  it('says what each tag is about, and has no other', () => {
    const described = document.tags.map(({ name }) => name);
    const used = [...operations, ...webhooks].flatMap(({ tags }) => tags);
    expect(described.toSorted()).toEqual([...new Set(used)].toSorted());
    for (const { description } of document.tags) expect(description).toMatch(/\w/);
  });

  it('is a page to read, too, with every operation, and holds no script', async () => {
    const { statusCode, headers, body } = await ask({ method: 'GET', path: '/reference', claims: null });
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    for (const { operationId, path } of routes) {
      expect(body).toContain(`<section id="${operationId}">`);
      expect(body).toContain(path);
    }
    expect(body).toContain('policy.retry.maximumAttempts');
    expect(body).toContain('Where to go on: <code>nextCursor</code> of the page before');
    expect(body).not.toMatch(/<script|src=|javascript:/);
  });

  it('is served to anybody, and may be kept for five minutes', async () => {
    const { statusCode, headers, body } = await ask({ method: 'GET', path: '/openapi.json', claims: null });
    expect(statusCode).toBe(200);
    expect(headers['cache-control']).toBe('public, max-age=300');
    expect(JSON.parse(body)).toEqual(document);
  });
});

describe('a schema of the description', () => {
  const references = [...objectsIn(document)].flatMap(([path, { $ref }]) =>
    typeof $ref === 'string' ? [{ path, $ref }] : [],
  );

  it('is there, when something refers to it', () => {
    expect(references.length).toBeGreaterThan(100);
    const places = new Set([...objectsIn(document)].map(([path]) => path));
    expect(references.filter(({ $ref }) => !places.has($ref))).toEqual([]);
  });

  it('is referred to; the one that all problems are stands for those of no operation, too', () => {
    const used = new Set(references.map(({ $ref }) => $ref));
    const unused = Object.keys(components.schemas).filter(
      (name) => !used.has(`#/components/schemas/${name}`),
    );
    expect(unused).toEqual(['Problem']);
  });

  it('has a name wherever it is an object with fields, or a choice of words', () => {
    const isNamed = /^#\/components\/schemas\/\w+$/;
    // That of a type is the event, with its type told.
    const isWebhook =
      /^#\/webhooks\/[\w.]+\/post\/requestBody\/content\/application\/json\/schema\/allOf\/1$/;
    const nameless = [...objectsIn(document)].filter(([path, one]) => {
      const isSchema = 'enum' in one || (one['type'] === 'object' && 'properties' in one);
      const isExample = /\/(examples?|properties)$/.test(path) || path.includes('/examples/');
      return isSchema && !isExample && !isNamed.test(path) && !isWebhook.test(path);
    });
    expect(nameless.map(([path]) => path)).toEqual([]);
  });

  it('is there once: no two have the same fields', () => {
    const texts = Object.entries(components.schemas).map(([name, schema]) => {
      const { description: _, ...rest } = { description: '', ...schema };
      return [JSON.stringify(rest), name] as const;
    });
    const alike = [...Map.groupBy(texts, ([text]) => text).values()].filter(({ length }) => length > 1);
    const names = alike.map((group) => group.map(([, name]) => name));
    // They differ in what they are for.
    expect(names).toEqual([
      ['Description', 'EventData', 'JsonSchema'],
      ['EndpointWarning', 'ImportProblem'],
    ]);
  });

  it.each(['EventData', 'JsonSchema', 'EventTypeDocument', 'Description'])('%s is open', (name) => {
    expect(components.schemas[name]).toMatchObject({ type: 'object', additionalProperties: true });
    expect(components.schemas[name]).not.toHaveProperty('properties');
  });

  it.each([
    ['NewEvent', 'data', 'EventData'],
    ['EventToPreview', 'data', 'EventData'],
    ['WebhookEvent', 'data', 'EventData'],
    ['EventType', 'schema', 'JsonSchema'],
    ['EventType', 'example', 'EventData'],
    ['EventTypeDefinition', 'schema', 'JsonSchema'],
    ['EventTypeDefinition', 'example', 'EventData'],
  ])('of %s, %s is any object', (name, field, open) => {
    const properties = { [field]: { $ref: `#/components/schemas/${open}` } };
    expect(components.schemas[name]).toMatchObject({ properties });
  });

  it('that is sent has its defaults in words: a client asks for nothing that may be left out', () => {
    const withDefault = Object.values(components.schemas).filter((schema) =>
      [...objectsIn(schema)].some(([path, one]) => 'default' in one && !path.endsWith('/properties')),
    );
    expect(withDefault).toEqual([]);
    expect(components.schemas['NewEndpoint']).toMatchObject({
      required: ['url'],
      properties: { active: { description: 'By default `true`.' } },
    });
  });
});

describe('the problems of the description', () => {
  /** The table of docs/codes.md, as lines of status and code. */
  function told(): string[] {
    const text = readFileSync('docs/codes.md', 'utf8');
    const [table = ''] = text.split('\n## ').filter((part) => part.startsWith('Refusals of the API'));
    return [...table.matchAll(/^\| ([\d, ]+) \| ([^|]+) \|/gm)].flatMap(([, statuses = '', codes = '']) =>
      statuses
        .split(', ')
        .flatMap((status) => [...codes.matchAll(/`(\w+)`/g)].map(([, code = '']) => `${status} ${code}`)),
    );
  }

  it('are those of docs/codes.md; one is of no operation', () => {
    const described = Object.entries(problemCodes).flatMap(([status, codes]) =>
      Object.keys(codes).map((code) => `${status} ${code}`),
    );
    expect([...described, '405 method_not_allowed'].toSorted()).toEqual(told().toSorted());
  });

  it('have a schema each, which is told by its code', () => {
    for (const code of allProblemCodes().keys()) {
      const name = `${code.replace(/(^|_)(\w)/g, (_all, _line, letter: string) => letter.toUpperCase())}Problem`;
      expect(components.schemas[name]).toMatchObject({ properties: { code: { const: code } } });
    }
  });

  it.each([
    ['getDescription', { 400: ['invalid_request'], 500: ['internal_error'] }],
    [
      'listEventTypes',
      {
        400: ['invalid_request', 'unknown_field'],
        401: ['unauthorized'],
        403: ['insufficient_scope'],
        429: ['too_many_requests'],
        500: ['internal_error'],
      },
    ],
    [
      'cancelJob',
      {
        400: ['invalid_request', 'unknown_field'],
        401: ['unauthorized'],
        403: ['insufficient_scope', 'enterprise_plan_required'],
        404: ['not_found'],
        409: ['job_finished'],
        429: ['too_many_requests'],
        500: ['internal_error'],
      },
    ],
    [
      'publishEvent',
      {
        400: [
          ...['invalid_request', 'unknown_field', 'invalid_json', 'invalid_idempotency_key'],
          ...['unknown_event_type', 'invalid_time', 'schema_violation', 'schema_not_judged'],
        ],
        401: ['unauthorized'],
        403: ['insufficient_scope', 'enterprise_plan_required'],
        404: ['not_found'],
        409: ['idempotency_conflict', 'request_in_progress', 'outcome_unknown'],
        413: ['payload_too_large', 'event_too_large'],
        415: ['unsupported_media_type'],
        422: ['idempotency_key_reused'],
        429: ['too_many_requests'],
        500: ['internal_error'],
      },
    ],
  ])('%s lists its own, and no other', (operationId, expected) => {
    const operation = operations.find((one) => one.operationId === operationId);
    const found = Object.entries(operation?.responses ?? {}).flatMap(([status, response]) => {
      const text = JSON.stringify(responseOf(response)?.content ?? {});
      const names = [...text.matchAll(/schemas\/(\w+Problem)"/g)].map(([, name = '']) => name);
      const codes = [...new Set(names)].map((name) => codeOf(components.schemas[name]));
      return codes.length === 0 ? [] : [[status, codes]];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  function codeOf(schema: object | undefined): unknown {
    return [...objectsIn(schema)].find(([path]) => path === '#/properties/code')?.[1]['const'];
  }
});

describe('the webhooks of the description', () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const validatorOf = (schema: object) => ajv.compile({ allOf: [schema], components });
  const names = [...builtInEventTypes.map(({ name }) => name), 'event'];

  it('are those of each event type that comes with Tidings, and one for all others', () => {
    expect(Object.keys(document.webhooks)).toEqual(names);
  });

  it('tell the headers by which a delivery is verified, and what an answer means', () => {
    for (const { parameters, responses } of webhooks) {
      const headers = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'webhook-jwt'];
      expect(parameters).toEqual(headers.map((name) => ({ $ref: `#/components/parameters/${name}` })));
      expect(Object.keys(responses).toSorted()).toEqual(['2XX', '410', '429', '503', 'default']);
    }
    expect(components.parameters['webhook-id']).toMatchObject({ in: 'header', required: true });
    expect(components.responses['Later']?.headers).toHaveProperty('Retry-After');
  });

  it('have the body that is sent', () => {
    const isEvent = validatorOf({ $ref: '#/components/schemas/WebhookEvent' });
    for (const resource of ['pipeline/42', undefined]) {
      const body = bodyOf({
        id: eventIdOf('one'),
        type: 'pipeline.run.failed',
        timestamp: '2026-11-27T10:00:00.000Z',
        organizationId: 'org_1',
        resource,
        dataText: '{"runId":77}',
      });
      expect(isEvent(JSON.parse(Buffer.from(body).toString()))).toBe(true);
    }
  });

  it.each(builtInEventTypes.map(({ name }) => name))(
    '%s has an example that is one, and of no other type',
    (name) => {
      const { requestBody } = document.webhooks[name]?.['post'] ?? { requestBody: {} };
      const { schema, example } = contentOf(requestBody);
      const isOne = validatorOf(schema);
      expect(isOne(example)).toBe(true);
      expect(isOne({ ...example, type: 'other.type' })).toBe(false);
    },
  );

  function contentOf(body: object): { schema: object; example: object } {
    const content = [...objectsIn(body)].find(([path]) => path.endsWith('/application/json'))?.[1];
    return { schema: Object(content?.['schema']) as object, example: Object(content?.['example']) as object };
  }
});
