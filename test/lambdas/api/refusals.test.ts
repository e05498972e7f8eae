import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidRequest } from '../../../lambdas/shared/errors.ts';
import type { Fault } from '../../../lambdas/shared/errors.ts';
import type { Route } from '../../../lambdas/shared/route.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aService, operator } from './a-service.ts';
import type { Wish } from './a-service.ts';

const endpoints = '/v1/organizations/org_1/endpoints';
const url = 'https://a.example.com/';
const caller = { subject: 'user_5', organizationId: 'org_1', scopes: new Set<string>() };

/** Words that zod writes, and nobody else here. */
const ofTheLibrary =
  /invalid input|expected|received|too (small|big)|unrecognized|>=|<=|\bISO\b|regex|\bNaN\b|undefined/i;

describe('a user who is refused', () => {
  it.each<[string, Wish, string, string]>([
    [
      'a subscription that is no pattern',
      { method: 'POST', path: endpoints, body: { url, eventTypes: ['pipeline*'] } },
      'eventTypes.0',
      'must be a type such as pipeline.run.failed, a prefix such as pipeline.*, or *',
    ],
    [
      'a subscription that begins with *',
      { method: 'POST', path: endpoints, body: { url, eventTypes: ['*', '*.failed'] } },
      'eventTypes.1',
      'must be a type such as pipeline.run.failed, a prefix such as pipeline.*, or *',
    ],
    [
      'a time in a thirteenth month',
      { path: '/v1/organizations/org_1/events', query: { since: '2026-13-01' } },
      'since',
      'must be a date and time with its zone, such as 2026-11-27T10:00:00Z',
    ],
    [
      'a limit that is a word',
      { path: endpoints, query: { limit: 'ten' } },
      'limit',
      'must be a whole number from 1 to 250',
    ],
    [
      'a timeout that is a text',
      { method: 'PATCH', path: '/v1/organizations/org_1', body: { policy: { timeoutSeconds: '5' } } },
      'policy.timeoutSeconds',
      'must be a number from 1 to 30, or null',
    ],
    [
      'a timeout that is too long',
      { method: 'PATCH', path: '/v1/organizations/org_1', body: { policy: { timeoutSeconds: 31 } } },
      'policy.timeoutSeconds',
      'must be a number from 1 to 30, or null',
    ],
    [
      'a limit that is no number, where null and a word mean something',
      { method: 'PATCH', path: '/v1/organizations/org_1', body: { policy: { rateLimitPerSecond: true } } },
      'policy.rateLimitPerSecond',
      'must be a number from 0.01 to 10000 or "default", or null',
    ],
    [
      'a breaker of which one number is wrong',
      {
        method: 'PATCH',
        path: '/v1/organizations/org_1',
        body: { policy: { circuitBreaker: { failures: 'x' } } },
      },
      'policy.circuitBreaker.failures',
      'must be a whole number from 1 to 1000, or null',
    ],
    [
      'no URL',
      { method: 'POST', path: endpoints, body: {} },
      'url',
      'is missing: must be a string of 1 to 2048 characters',
    ],
    [
      'a scheme that there is not',
      { method: 'POST', path: endpoints, body: { url, scheme: 'rsa' } },
      'scheme',
      'must be one of "hmac", "jwt"',
    ],
    [
      'a switch that is a text',
      { method: 'POST', path: endpoints, body: { url, active: 'true' } },
      'active',
      'must be true or false',
    ],
    [
      'a list that is none',
      { method: 'POST', path: endpoints, body: { url, eventTypes: 'pipeline.*' } },
      'eventTypes',
      'must be a list of at most 200 entries',
    ],
  ])('for %s reads what must be so', async (...[, wish, field, detail]) => {
    const problem = await problemOf(wish);
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request', field });
    expect(problem.errors).toEqual([{ field, code: 'invalid_request', detail }]);
    expect(problem.detail).toBe(`${field}: ${detail}`);
  });

  it('for a subscription that lacks its .* reads how a prefix is written', async () => {
    const problem = await problemOf({
      method: 'POST',
      path: endpoints,
      body: { url, eventTypes: ['pipeline'] },
    });
    expect(problem).toMatchObject({ code: 'unknown_event_type', field: 'eventTypes.0' });
    expect(problem.detail).toContain('A prefix ends in .*, such as pipeline.*');
  });

  it('for a body that is a list reads that it must be an object', async () => {
    const problem = await problemOf({ method: 'POST', path: endpoints, body: [] });
    expect(problem.detail).toBe('The body must be an object.');
    expect(problem.errors).toEqual([{ code: 'invalid_request', detail: 'must be an object' }]);
  });

  it.each([
    ['12345678901234567890', undefined],
    ['{"name":"x","policy":12345678901234567890}', 'policy'],
    ['{"name":"x","policy":{"retry":12345678901234567890}}', 'policy.retry'],
  ])('for a long number in place of an object reads that it must be one: %s', async (text, field) => {
    const problem = await problemOf({ method: 'POST', path: endpoints, body: text });
    expect(problem.errors).toContainEqual({
      ...(field && { field }),
      code: 'invalid_request',
      detail: 'must be an object',
    });
    expect(JSON.stringify(problem)).not.toContain('rawJSON');
  });

  it('for no body at all reads that it is missing', async () => {
    const problem = await problemOf({ method: 'POST', path: endpoints });
    expect(problem.detail).toBe('The body is missing: must be an object.');
    expect(problem.errors).toEqual([{ code: 'invalid_request', detail: 'is missing: must be an object' }]);
  });

  it('reads all that is wrong with the shape at once, the query included', async () => {
    const body = {
      name: 'A B',
      description: 5,
      policy: { timeoutSeconds: 0, retry: { multiplier: 'two' } },
      surprise: 1,
      andAnother: 2,
    };
    const problem = await problemOf({ method: 'POST', path: endpoints, query: { sort: 'asc' }, body });
    expect(problem.errors?.map(({ field, code }) => `${field ?? ''} ${code}`)).toEqual([
      'sort unknown_field',
      'name invalid_request',
      'url invalid_request',
      'description invalid_request',
      'policy.timeoutSeconds invalid_request',
      'policy.retry.multiplier invalid_request',
      'surprise unknown_field',
      'andAnother unknown_field',
    ]);
    expect(problem).toMatchObject({ code: 'unknown_field', field: 'sort' });
  });

  it('reads all that breaks a rule at once', async () => {
    const body = {
      url: 'http://a.example.com/',
      eventTypes: ['pipeline.run.failed', 'no.such.type', 'no.other.type'],
      headers: [
        { name: 'host', value: 'a' },
        { name: 'x-a', value: 'a' },
        { name: 'X-A', value: 'b' },
      ],
      policy: {
        retry: { maximumAttempts: 30, maximumBackoffSeconds: 86_400, initialBackoffSeconds: 86_400 },
      },
    };
    const problem = await problemOf({ method: 'POST', path: endpoints, body });
    expect(problem.errors?.map(({ field, code }) => `${field ?? ''} ${code}`)).toEqual([
      'url https_required',
      'policy.retry schedule_too_long',
      'eventTypes.1 unknown_event_type',
      'eventTypes.2 unknown_event_type',
      'headers.0.name header_not_allowed',
      'headers.2.name invalid_request',
    ]);
  });

  it.each<[string, Wish, string[]]>([
    [
      'an endpoint with a wrong switch, URL, pattern and header',
      {
        method: 'POST',
        path: endpoints,
        body: {
          url: 'http://localhost/x',
          active: 'yes',
          eventTypes: ['pipeline*', 5],
          headers: [{ name: 'Host', value: 5 }],
        },
      },
      [
        'active invalid_request',
        'eventTypes.1 invalid_request',
        'headers.0.value invalid_request',
        'url https_required',
        'eventTypes.0 invalid_request',
        'headers.0.name header_not_allowed',
      ],
    ],
    [
      'an event of an unknown type and a time far ahead',
      {
        method: 'POST',
        path: '/v1/organizations/org_1/events',
        body: { type: 'nosuch.type', data: {}, occurredAt: '2099-01-01T00:00:00Z' },
      },
      ['type unknown_event_type', 'occurredAt invalid_time'],
    ],
    [
      'an event without data and a time far ahead',
      {
        method: 'POST',
        path: '/v1/organizations/org_1/events',
        body: { type: 'nosuch.type', occurredAt: '2099-01-01T00:00:00Z' },
      },
      ['data invalid_request', 'type unknown_event_type', 'occurredAt invalid_time'],
    ],
    [
      'an event of an unknown type without data, with a key and no time',
      {
        method: 'POST',
        path: '/v1/organizations/org_1/events',
        body: { type: 'nosuch.type', idempotencyKey: 'run-77' },
      },
      ['data invalid_request', 'idempotencyKey invalid_request', 'type unknown_event_type'],
    ],
    [
      'a preview of an unknown type with data that are none',
      {
        method: 'POST',
        path: '/v1/organizations/org_1/events/preview',
        body: { type: 'nosuch.type', data: [] },
      },
      ['data invalid_request', 'type unknown_event_type'],
    ],
    [
      'a list that ends before it begins, and has a wrong limit',
      {
        path: '/v1/organizations/org_1/events',
        query: { since: '2026-11-02T00:00:00Z', until: '2026-11-01T00:00:00Z', limit: '5000' },
      },
      ['limit invalid_request', 'until invalid_request'],
    ],
    [
      'a list that begins at no time',
      {
        path: '/v1/organizations/org_1/events',
        query: { since: 'yesterday', until: '2026-11-01T00:00:00Z' },
      },
      ['since invalid_request'],
    ],
    [
      'an endpoint with a text in place of a list, which is told once',
      { method: 'POST', path: endpoints, body: { url, categories: 'governance' } },
      ['categories invalid_request'],
    ],
    [
      'an endpoint with a wrong switch and a subscription that is not there',
      { method: 'POST', path: endpoints, body: { url, active: 'yes', eventTypes: ['nosuch.type'] } },
      ['active invalid_request', 'eventTypes.0 unknown_event_type'],
    ],
    [
      'an event type without a description, replaced by one that is not there',
      {
        method: 'PUT',
        path: '/v1/event-types/a.b',
        claims: operator,
        body: { category: 'governance', deprecated: { replacedBy: 'nosuch.type' } },
      },
      ['description invalid_request', 'deprecated.replacedBy unknown_event_type'],
    ],
    [
      'an event type with a broken schema, replaced by one that is not there',
      {
        method: 'PUT',
        path: '/v1/event-types/a.b',
        claims: operator,
        body: {
          ...{ category: 'governance', description: 'x', deprecated: { replacedBy: 'nosuch.type' } },
          schema: { type: 'nonsense', properties: { a: { minLength: -1 } } },
        },
      },
      ['schema invalid_schema', 'schema invalid_schema', 'deprecated.replacedBy unknown_event_type'],
    ],
    [
      'a certificate and a key that are none',
      {
        method: 'PUT',
        path: `${endpoints}/${endpointIdOf('one')}/client-certificate`,
        body: { certificate: 'none', privateKey: 'none' },
      },
      ['certificate invalid_certificate', 'privateKey invalid_certificate'],
    ],
    [
      'a document of event types with eight faults',
      {
        method: 'POST',
        path: '/v1/event-types/import',
        claims: operator,
        body: {
          $defs: {
            'a.lost': { 'x-category': 'governance', $ref: '#/$defs/none' },
            'a.bare': { type: 'nonsense' },
            'a.badly': { 'x-category': 'nonsense', type: 'nonsense' },
            'a.broken': {
              ...{ 'x-category': 'governance', 'x-deprecated': { replacedBy: 'nosuch.type' } },
              ...{ type: 'nonsense', minLength: -1 },
            },
            'a.good': { 'x-category': 'governance', 'x-deprecated': { replacedBy: 'a.broken' } },
          },
        },
      },
      [
        '$defs.a.lost invalid_reference',
        '$defs.a.bare missing_category',
        '$defs.a.bare.schema invalid_schema',
        '$defs.a.badly.x-category invalid_request',
        '$defs.a.badly.schema invalid_schema',
        '$defs.a.broken.schema invalid_schema',
        '$defs.a.broken.schema invalid_schema',
        '$defs.a.broken.x-deprecated.replacedBy unknown_event_type',
      ],
    ],
    [
      'an AsyncAPI document of which one message is in another language, and one twice',
      {
        method: 'POST',
        path: '/v1/event-types/import',
        query: { category: 'governance' },
        claims: operator,
        body: {
          asyncapi: '3.0.0',
          components: {
            messages: {
              A: { name: 'own.paid', payload: { schemaFormat: 'application/vnd.apache.avro', schema: {} } },
              B: { name: 'own.sent' },
              C: { name: 'own.sent' },
            },
          },
        },
      },
      ['components.messages.A unsupported_schema_format', 'components.messages.C duplicate_event_type'],
    ],
    [
      'a subscription that is no pattern, and one that is not there',
      { method: 'POST', path: endpoints, body: { url, eventTypes: ['pipeline*', 'nosuch.type'] } },
      ['eventTypes.0 invalid_request', 'eventTypes.1 unknown_event_type'],
    ],
    [
      'a list with three wrong parameters',
      {
        path: '/v1/organizations/org_1/events',
        query: { since: '2026-13-01', limit: '5000', cursor: 'abc' },
      },
      ['cursor invalid_cursor', 'limit invalid_request', 'since invalid_request'],
    ],
    [
      'a key that is none, before a body that is wrong',
      { method: 'POST', path: endpoints, idempotencyKey: 'short', body: { url: 'ftp://x', active: 'yes' } },
      ['Idempotency-Key invalid_idempotency_key', 'active invalid_request', 'url https_required'],
    ],
    [
      'a schema with two faults',
      {
        method: 'PUT',
        path: '/v1/event-types/a.b',
        claims: operator,
        body: { category: 'governance', description: '', schema: { $async: true, type: 'nonsense' } },
      },
      ['description invalid_request', 'schema invalid_schema', 'schema invalid_schema'],
    ],
    [
      'an import of which entries are unclear and wrong',
      {
        method: 'PUT',
        path: '/v1/organizations/org_1/import',
        body: {
          version: 1,
          endpoints: [{ url }, { name: 'a', url: 'ftp://x' }, { name: 'a', url }, { name: 'a', url }],
        },
      },
      [
        'endpoints.2.name duplicate_endpoint',
        'endpoints.3.name duplicate_endpoint',
        'endpoints.0.name missing_name',
        'endpoints.1.url https_required',
      ],
    ],
    [
      'an import of which one entry has a wrong form',
      {
        method: 'PUT',
        path: '/v1/organizations/org_1/import',
        body: {
          version: 1,
          endpoints: [
            { name: 'a', url: 'ftp://x', active: 'yes' },
            { name: 'a', url },
          ],
        },
      },
      [
        'endpoints.0.active invalid_request',
        'endpoints.1.name duplicate_endpoint',
        'endpoints.0.url https_required',
      ],
    ],
  ])('reads all of it at once: %s', async (_what, wish, faults) => {
    const problem = await problemOf(wish);
    expect(problem.errors?.map(({ field, code }) => `${field ?? ''} ${code}`)).toEqual(faults);
    const [field, code] = faults[0]?.split(' ') ?? [];
    expect(problem).toMatchObject({ field, code });
  });

  it('for a parameter that is given twice reads so', async () => {
    const wish = { path: endpoints, query: { limit: '1,2' }, rawQuery: 'limit=1&limit=2' };
    const problem = await problemOf(wish);
    expect(problem).toMatchObject({ code: 'invalid_request', field: 'limit' });
    expect(problem.errors).toEqual([
      { field: 'limit', code: 'invalid_request', detail: 'is given twice: give it once' },
    ]);
  });

  it('for a hundred wrong entries reads some of them', async () => {
    const names = Array.from({ length: 100 }, (_, index) => ({ name: `e${String(index)}`, url: 'ftp://x' }));
    const body = { version: 1, endpoints: names };
    const problem = await problemOf({ method: 'PUT', path: '/v1/organizations/org_1/import', body });
    expect(problem.errors).toHaveLength(50);
  });

  it('of an import reads where in the document each of them stands', async () => {
    const body = {
      version: 1,
      endpoints: [{ name: 'a', url: 'http://a.example.com/', eventTypes: ['no.such.type'] }],
    };
    const problem = await problemOf({ method: 'PUT', path: '/v1/organizations/org_1/import', body });
    expect(problem.errors?.map(({ field }) => field)).toEqual([
      'endpoints.0.url',
      'endpoints.0.eventTypes.0',
    ]);
  });

  it('for a body that is wrong everywhere reads some of it', async () => {
    const body = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => ['x'.repeat(900) + String(index), 1]),
    );
    const problem = await problemOf({ method: 'POST', path: endpoints, body: { url, ...body } });
    expect(problem.errors).toHaveLength(50);
    expect(JSON.stringify(problem).length).toBeLessThan(15_000);
  });
});

describe('no sentence of a library reaches a user', () => {
  const routes = aService().routes;

  it.each(routes.map((route) => [route.operationId, route] as const))('of %s', async (_id, route) => {
    const faults = await faultsOf(route);
    expect(faults.length).toBeGreaterThan(0);
    for (const { field, detail } of faults) {
      expect(`${field ?? ''}: ${detail}`).not.toMatch(ofTheLibrary);
      expect(detail).not.toContain(planted);
      expect(detail.length).toBeGreaterThan(8);
    }
  });
});

const planted = 'planted!§';

/** Values of every kind, each of them wrong for most fields. */
const wrongs = [
  undefined,
  null,
  true,
  -1,
  1.5,
  1e12,
  '',
  planted,
  planted.repeat(1_000),
  [],
  [planted],
  {},
  { planted },
];

/** Everything that a route says of requests in which each field in turn, at every depth, is wrong in every way. */
async function faultsOf(route: Route): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const part of ['params', 'query', 'body'] as const) {
    for (const wrong of wrongs.flatMap((value) => bad(route[part], value))) {
      // What no operation takes: so that none is ever handled.
      const request = { params: { planted }, query: { planted }, body: { planted }, caller, [part]: wrong };
      const thrown = await route.run(request).catch((fault: unknown) => fault);
      if (!(thrown instanceof InvalidRequest)) throw thrown;
      faults.push(...thrown.faults, { code: thrown.code, detail: thrown.message });
    }
  }
  return faults;
}

/** The wrong value itself, and wherever it can stand within what the schema describes. */
function bad(schema: z.ZodType, wrong: unknown): unknown[] {
  return [wrong, within(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), wrong)];
}

const described = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown(),
  anyOf: z.array(z.unknown()).optional(),
});

function within(schema: unknown, wrong: unknown): unknown {
  const { properties, items, anyOf } = described.catch({ items: undefined }).parse(schema);
  if (properties !== undefined) {
    return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, within(one, wrong)]));
  }
  if (items !== undefined) return [within(items, wrong)];
  return anyOf?.[0] === undefined ? wrong : within(anyOf[0], wrong);
}

const problem = z.looseObject({
  detail: z.string(),
  errors: z
    .array(z.strictObject({ field: z.string().optional(), code: z.string(), detail: z.string() }))
    .optional(),
});

async function problemOf(wish: Wish): Promise<z.output<typeof problem>> {
  const service = aService();
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  return problem.parse(JSON.parse((await service.ask(wish)).body));
}
