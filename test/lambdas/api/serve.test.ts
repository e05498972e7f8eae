import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { administrator, aService, operator } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';
import { anEventBody, aWorld, endpoints, events, outcome, outcomeOf } from './a-world.ts';

describe('an answer', () => {
  it.each<[string, Wish]>([
    ['a good one', { path: endpoints }],
    ['one without a body', { method: 'DELETE', path: `${endpoints}/${anEndpoint().id}` }],
    ['a refusal', { path: endpoints, claims: {} }],
    ['one to an unknown route', { path: '/v1/nothing' }],
    ['one to a body that is no JSON', { method: 'POST', path: endpoints, body: '{' }],
  ])('always has the id of its request, and is never cached: %s', async (_what, wish) => {
    const answer = await aWorld().ask({ ...wish, requestId: 'request-77' });
    expect(answer.headers).toMatchObject({ 'x-request-id': 'request-77', 'cache-control': 'no-store' });
  });

  it('to our own fault has the id of its request, too', async () => {
    const answer = await aBrokenWorld(new Error('away')).ask({ path: endpoints, requestId: 'request-77' });
    expect(answer).toMatchObject({ statusCode: 500, headers: { 'x-request-id': 'request-77' } });
  });
});

describe('a refusal', () => {
  it('is problem+json with a stable code and the id to ask about', async () => {
    const answer = await aWorld().ask({
      method: 'POST',
      path: endpoints,
      body: { url: 5 },
      requestId: 'request-77',
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json' });
    expect(JSON.parse(answer.body)).toEqual({
      type: 'urn:tidings:problem:invalid_request',
      title: 'Bad Request',
      status: 400,
      code: 'invalid_request',
      detail: expect.stringMatching(/^url: /) as unknown,
      field: 'url',
      errors: [{ field: 'url', code: 'invalid_request', detail: 'must be a string of 1 to 2048 characters' }],
      requestId: 'request-77',
    });
  });

  it('of a method names those that the path takes', async () => {
    const answer = await aWorld().ask({ method: 'PUT', path: endpoints });
    expect(answer).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD, POST' } });
  });

  it.each<[string, Wish, string]>([
    ['an unknown route', { path: '/v1/nothing' }, '404 not_found'],
    ['no path', { path: '' }, '404 not_found'],
    ['the root', { path: '/' }, '404 not_found'],
    ['a path that is too long', { path: `${events}/a/b/c` }, '404 not_found'],
    ['a slash too many', { path: '/v1/event-types/' }, '404 not_found'],
    ['another version', { path: events.replace('v1', 'v2') }, '404 not_found'],
    ['a wrong method', { method: 'DELETE', path: events }, '405 method_not_allowed'],
    [
      'a method of a name, where a word stands',
      { method: 'PUT', path: '/v1/event-types/export', body: {} },
      '405 method_not_allowed',
    ],
    ['a body that is no JSON', { method: 'POST', path: events, body: '{"type":' }, '400 invalid_json'],
    ['a body with a comment', { method: 'POST', path: events, body: '{} // ok?' }, '400 invalid_json'],
    [
      'a body that is no JSON, and says so by its type',
      { method: 'POST', path: events, body: 'type=a', contentType: 'application/x-www-form-urlencoded' },
      '415 unsupported_media_type',
    ],
    ['an empty body', { method: 'POST', path: events, body: '' }, '400 invalid_request'],
    ['null', { method: 'POST', path: events, body: 'null' }, '400 invalid_request'],
    ['a list', { method: 'POST', path: events, body: '[]' }, '400 invalid_request'],
    [
      'base64 of no UTF-8',
      { method: 'POST', path: events, body: '/////w==', isBase64Encoded: true },
      '400 invalid_json',
    ],
    ['a limit of 251', { path: events, query: { limit: '251' } }, '400 invalid_request'],
    ['a made-up cursor', { path: events, query: { cursor: 'abc' } }, '400 invalid_cursor'],
    [
      'a status that there is not',
      { path: `${endpoints}/${anEndpoint().id}/deliveries`, query: { status: 'lost' } },
      '400 invalid_request',
    ],
    [
      'a type that there is not',
      { path: endpoints, query: { type: 'no.such.type' } },
      '400 unknown_event_type',
    ],
    [
      'a stretch of time that ends before it begins',
      { path: events, query: { since: '2026-11-23T10:00:00Z', until: '2026-11-23T09:00:00Z' } },
      '400 invalid_request',
    ],
    [
      'a time that is none',
      { path: `${endpoints}/${anEndpoint().id}/deliveries`, query: { since: 'today' } },
      '400 invalid_request',
    ],
  ])('answers %s', async (_what, wish, expected) => {
    expect(outcomeOf(await aWorld().ask(wish))).toBe(expected);
  });

  it('of a field called __proto__ names it, or it has no effect', async () => {
    const answer = await aWorld().ask({
      method: 'POST',
      path: endpoints,
      body: '{"url":"https://a.example.com/","__proto__":{"active":false}}',
    });
    const body = z.looseObject({}).parse(JSON.parse(answer.body));
    expect(answer.statusCode === 400 ? body['field'] : body['active']).toBe(
      answer.statusCode === 400 ? '__proto__' : true,
    );
  });
});

describe('the size of a request', () => {
  const limit = 1_048_576;

  it('of 1 MiB is read, and not of one byte more', async () => {
    const padded = (bytes: number) => JSON.stringify(anEventBody).padEnd(bytes, ' ');
    expect(await outcome({ method: 'POST', path: events, body: padded(limit) })).toBe('202');
    expect(await outcome({ method: 'POST', path: events, body: padded(limit + 1) })).toBe(
      '413 payload_too_large',
    );
  });

  it('is counted in bytes, not in letters', async () => {
    const body = `"${'ü'.repeat(limit / 2)}"`;
    expect(await outcome({ method: 'POST', path: events, body })).toBe('413 payload_too_large');
  });

  it('is counted after base64 has been undone', async () => {
    const body = Buffer.from(JSON.stringify(anEventBody).padEnd(limit, ' ')).toString('base64');
    expect(await outcome({ method: 'POST', path: events, body, isBase64Encoded: true })).toBe('202');
  });

  it('may have 900 levels, and not one more', async () => {
    const nested = (levels: number) =>
      `{"type":"pipeline.run.failed","data":{"deep":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;
    expect(await outcome({ method: 'POST', path: events, body: nested(900) })).toBe('202');
    expect(await outcome({ method: 'POST', path: events, body: nested(901) })).toBe('400 invalid_json');
  });

  it('in depth is the caller’s, too: what nobody can write out again is refused', async () => {
    const depth = 100_000;
    const body = `{"type":"pipeline.run.failed","data":{"deep":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    expect(await outcome({ method: 'POST', path: events, body })).toMatch(/^4/);
  });
});

describe('a body that nobody needs', () => {
  it.each(['/openapi.json', '/reference', '/v1/organizations/org_1/.well-known/jwks.json', events])(
    'is refused by its presence, and never read: GET %s',
    async (path) => {
      // Read, it would be no JSON, and too large.
      expect(await outcome({ path, body: '{'.repeat(2_000_000) })).toBe('400 invalid_request');
    },
  );

  it('is not read for a caller who may not do what it asks for', async () => {
    const readOnly = { ...administrator, scope: 'webhooks:read' };
    expect(await outcome({ method: 'POST', path: events, body: '{', claims: readOnly })).toBe(
      '403 insufficient_scope',
    );
  });
});

describe('a body in base64', () => {
  it('is read as the same text', async () => {
    const body = Buffer.from(JSON.stringify({ ...anEventBody, data: { text: 'Grüße' } })).toString('base64');
    const world = aWorld();
    await world.ask({ method: 'POST', path: events, body, isBase64Encoded: true });
    expect(JSON.parse(world.published[0]?.detail ?? '')).toMatchObject({ data: { text: 'Grüße' } });
  });
});

describe('our own fault', () => {
  const planted = 'planted-table-name and planted-payload';

  it.each([new Error(planted), new TypeError(planted), planted])(
    'is a 500 that tells nothing: %s',
    async (fault) => {
      const answer = await aBrokenWorld(fault).ask({ path: endpoints });
      expect(JSON.parse(answer.body)).toEqual({
        type: 'urn:tidings:problem:internal_error',
        title: 'Internal Server Error',
        status: 500,
        code: 'internal_error',
        detail: 'Something of ours failed; nothing is known to be wrong with the request. Try again.',
        requestId: 'request-1',
      });
    },
  );

  it('is logged by the class of the error alone', async () => {
    const world = aBrokenWorld(new RangeError(planted));
    await world.ask({ path: endpoints });
    expect(world.lines).toEqual([
      {
        message: 'request.served',
        fields: {
          operation: 'listEndpoints',
          organizationId: 'org_1',
          status: 500,
          code: 'RangeError',
          durationMs: 0,
        },
      },
    ]);
  });

  it('is also a request without the claims that the authorizer always adds', async () => {
    const world = aWorld();
    // What the gateway would never do: the answer may not depend on it.
    const answer = await world.ask({ path: endpoints, claims: { scope: 5 } });
    expect(answer.statusCode).toBe(404);
  });
});

describe('the log of a request', () => {
  it('is one line with ids, outcome and time', async () => {
    const world = aWorld();
    await world.ask({ path: endpoints });
    expect(world.lines).toEqual([
      {
        message: 'request.served',
        fields: {
          operation: 'listEndpoints',
          organizationId: 'org_1',
          status: 200,
          code: undefined,
          durationMs: 0,
        },
      },
    ]);
  });

  it('never holds a payload, a secret or what else was sent', async () => {
    const planted = 'planted-payload';
    const world = aWorld();
    const created = await world.ask({
      method: 'POST',
      path: endpoints,
      body: { url: `https://a.example.com/${planted}`, description: planted },
    });
    const { secret } = z.looseObject({ secret: z.string() }).parse(JSON.parse(created.body));
    for (const wish of [
      { method: 'POST', path: events, body: { ...anEventBody, data: { planted }, resource: planted } },
      { method: 'POST', path: events, body: `{"${planted}` },
      { method: 'POST', path: events, body: { ...anEventBody, [planted]: planted } },
      { method: 'POST', path: endpoints, body: { url: planted } },
      { method: 'PATCH', path: `${endpoints}/${anEndpoint().id}`, body: { description: secret } },
      { path: endpoints, query: { cursor: planted } },
      { path: endpoints, claims: { ...administrator, sub: planted, scope: planted } },
    ] as const) {
      await world.ask(wish);
    }
    await aWorldThatCannotPublish(planted, world.lines).ask({
      method: 'POST',
      path: events,
      body: anEventBody,
    });
    const log = JSON.stringify(world.lines);
    expect(world.lines).toHaveLength(9);
    expect(log).not.toContain(planted);
    expect(log).not.toContain(secret.slice('whsec_'.length));
  });
});

describe('changes at the same time', () => {
  it('a plan that the operator sets is not undone by a change of defaults', async () => {
    const configuration = memoryConfiguration();
    configuration.setOrganization(anOrganization());
    let isFirst = true;
    const operators = aService({ configuration });
    // Between the administrator's reading and writing, the operator ends the plan.
    const slow = {
      ...configuration,
      organizations: {
        ...configuration.organizations,
        get: async (id: string) => {
          const read = await configuration.organizations.get(id);
          const isPolicyRead = !isFirst;
          isFirst = false;
          if (isPolicyRead) {
            const body = { plan: 'free' };
            await operators.ask({ method: 'PUT', path: '/v1/organizations/org_1', body, claims: operator });
          }
          return read;
        },
      },
    };
    const body = { policy: { timeoutSeconds: 20 } };
    await aService({ configuration: slow }).ask({ method: 'PATCH', path: '/v1/organizations/org_1', body });
    expect(await configuration.organizations.get('org_1')).toMatchObject({ plan: 'free' });
  });
});

/** A world whose table answers everything with a fault. */
function aBrokenWorld(fault: unknown): Service {
  const configuration = memoryConfiguration();
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a fault may be anything
  const get = () => Promise.reject(fault);
  return aService({
    configuration: { ...configuration, organizations: { ...configuration.organizations, get } },
  });
}

/** Its log goes on where another's ends. */
function aWorldThatCannotPublish(planted: string, lines: Service['lines']): Service {
  const service = aService({ publish: () => Promise.reject(new Error(planted)) });
  service.configuration.setOrganization(anOrganization());
  const ask = async (wish: Wish) => {
    const answer = await service.ask(wish);
    lines.push(...service.lines);
    return answer;
  };
  return { ...service, ask };
}
