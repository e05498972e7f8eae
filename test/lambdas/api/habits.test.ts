import { describe, expect, it } from 'vitest';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService, operator } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';
import { clientCertificate } from './every-route.ts';

const organization = '/v1/organizations/org_1';
const endpoints = `${organization}/endpoints`;
const endpoint = `${endpoints}/${endpointIdOf('one')}`;
const url = 'https://new.example.com/hook';
const eventType = { category: 'governance', description: 'An invoice was paid.' };

function aWorld(): Service {
  const service = aService();
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  service.signing.set({ organizationId: 'org_1' });
  return service;
}

describe('a PUT', () => {
  const puts: [string, Wish][] = [
    ['an organization', { path: '/v1/organizations/org_9', body: { plan: 'team' }, claims: operator }],
    ['an event type', { path: '/v1/event-types/Invoice.Paid', body: eventType, claims: operator }],
    ['a client certificate', { path: `${endpoint}/client-certificate`, body: clientCertificate }],
  ];

  it.each(puts)(
    'that makes %s says so, and where it is; one that changes it does not',
    async (_what, wish) => {
      const service = aWorld();
      const put = { ...wish, method: 'PUT' } as const;
      const made = await service.ask(put);
      expect([made.statusCode, made.headers['location']]).toEqual([201, wish.path]);
      const changed = await service.ask(put);
      expect([changed.statusCode, changed.headers['location']]).toEqual([200, undefined]);
    },
  );

  it.each(puts)('that may only make %s leaves what is there', async (_what, wish) => {
    const service = aWorld();
    const put = { ...wish, method: 'PUT', ifNoneMatch: '*' } as const;
    expect((await service.ask(put)).statusCode).toBe(201);
    const again = await service.ask(put);
    expect(again.statusCode).toBe(412);
    expect(JSON.parse(again.body)).toMatchObject({ code: 'already_exists' });
  });

  it.each(puts.filter(([, { path }]) => !path.includes('certificate')))(
    'that may only make %s makes it once, when several ask for the very same at the same moment',
    async (_what, wish) => {
      const service = aWorld();
      const put = { ...wish, method: 'PUT', ifNoneMatch: '*' } as const;
      const answers = await Promise.all([put, put, put].map((one) => service.ask(one)));
      expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 412, 412]);
      const refused = answers.filter(({ statusCode }) => statusCode === 412);
      expect(refused.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject(
        Array.from({ length: 2 }, () => ({ code: 'already_exists' })),
      );
    },
  );
});

describe('where to look', () => {
  it('for an endpoint that was made is said by Location', async () => {
    const service = aWorld();
    const made = await service.ask({ method: 'POST', path: endpoints, body: { url } });
    expect(made.statusCode).toBe(201);
    expect((await service.ask({ path: made.headers['location'] ?? '' })).statusCode).toBe(200);
  });

  it('for an event that was taken, and for a recovery that has begun', async () => {
    const service = aWorld();
    const event = await service.ask({
      method: 'POST',
      path: `${organization}/events`,
      body: { type: 'pipeline.run.failed', data: {} },
    });
    const { id } = JSON.parse(event.body) as { id: string };
    expect([event.statusCode, event.headers['location']]).toEqual([202, `${organization}/events/${id}`]);
    const job = await service.ask({ method: 'POST', path: `${organization}/dead-letters/recover`, body: {} });
    expect(job.statusCode).toBe(202);
    expect((await service.ask({ path: job.headers['location'] ?? '' })).statusCode).toBe(200);
  });
});

describe('what a caller has already', () => {
  const paths = [
    organization,
    endpoints,
    endpoint,
    `${organization}/events`,
    `${organization}/signing-keys`,
    `${organization}/.well-known/jwks.json`,
    '/v1/event-types',
    '/v1/event-types/pipeline.run.failed',
    '/openapi.json',
    '/reference',
  ];

  it.each(paths)('is not sent again: %s', async (path) => {
    const service = aWorld();
    const first = await service.ask({ path });
    const tag = first.headers['etag'] ?? '';
    for (const ifNoneMatch of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await service.ask({ path, ifNoneMatch });
      expect([again.statusCode, again.body, again.headers['etag']]).toEqual([304, '', tag]);
      expect(again.headers['cache-control']).toBe(first.headers['cache-control']);
      expect(again.headers).not.toHaveProperty('content-type');
    }
    expect((await service.ask({ path, ifNoneMatch: '"another"' })).statusCode).toBe(200);
  });

  it('is sent again once it is another', async () => {
    const service = aWorld();
    const tag = (await service.ask({ path: endpoints })).headers['etag'] ?? '';
    await service.ask({ method: 'PATCH', path: endpoint, body: { description: 'mine' } });
    expect((await service.ask({ path: endpoints, ifNoneMatch: tag })).statusCode).toBe(200);
  });
});

it.each(['/openapi.json', endpoints, endpoint, `${organization}/.well-known/jwks.json`])(
  'HEAD of %s says what GET would, without a body',
  async (path) => {
    const service = aWorld();
    const [got, looked] = [await service.ask({ path }), await service.ask({ method: 'HEAD', path })];
    expect(looked).toEqual({ ...got, body: '' });
  },
);

describe('a rotation by somebody who has not seen the latest change', () => {
  it.each([
    [`${endpoint}/secret/rotate`, endpoint],
    [`${organization}/signing-keys/rotate`, `${organization}/signing-keys`],
    [`${endpoint}/resume`, endpoint],
  ])('is refused: %s', async (path, shown) => {
    const service = aWorld();
    const rotate = { method: 'POST', path } as const;
    const seen = (await service.ask({ path: shown })).headers['etag'] ?? '';
    expect((await service.ask({ ...rotate, ifMatch: '"old"' })).statusCode).toBe(412);
    expect((await service.ask({ ...rotate, ifMatch: seen })).statusCode).toBeLessThan(300);
  });

  it('of a certificate, too', async () => {
    const service = aWorld();
    const path = `${endpoint}/client-certificate`;
    const put = { method: 'PUT', path, body: clientCertificate } as const;
    expect((await service.ask({ ...put, ifMatch: '*' })).statusCode).toBe(412);
    await service.ask(put);
    const seen = (await service.ask({ path })).headers['etag'] ?? '';
    expect((await service.ask({ method: 'DELETE', path, ifMatch: '"old"' })).statusCode).toBe(412);
    expect((await service.ask({ method: 'DELETE', path, ifMatch: seen })).statusCode).toBe(204);
  });
});

describe('null in a PATCH', () => {
  it('of every field of an endpoint leaves it as if it had never been set', async () => {
    const service = aWorld();
    const made = await service.ask({ method: 'POST', path: endpoints, body: { url } });
    const path = made.headers['location'] ?? '';
    const {
      description: _,
      updatedAt: __,
      ...fresh
    } = JSON.parse((await service.ask({ path })).body) as Record<string, unknown>;
    const set = {
      name: 'billing',
      description: 'mine',
      active: false,
      eventTypes: ['pipeline.*'],
      categories: ['governance'],
      policy: { timeoutSeconds: 5, retry: { multiplier: 2 }, circuitBreaker: null, rateLimitPerSecond: 5 },
      keepResponse: true,
      scheme: 'jwt',
      headers: [{ name: 'X-Team', value: 'data' }],
    };
    const changed = await service.ask({ method: 'PATCH', path, body: set });
    expect([changed.statusCode, JSON.parse(changed.body)]).toEqual([200, expect.objectContaining(set)]);
    const body = Object.fromEntries(Object.keys(set).map((name) => [name, null]));
    expect((await service.ask({ method: 'PATCH', path, body })).statusCode).toBe(200);
    const { updatedAt: ___, ...after } = JSON.parse((await service.ask({ path })).body) as Record<
      string,
      unknown
    >;
    expect(after).toEqual(fresh);
  });

  it('of an organization’s defaults takes them back to ours, one by one or all', async () => {
    const service = aWorld();
    const patch = async (policy: unknown) => {
      const answer = await service.ask({ method: 'PATCH', path: organization, body: { policy } });
      return (JSON.parse(answer.body) as { policy?: unknown }).policy;
    };
    await patch({ timeoutSeconds: 5, retry: { multiplier: 2 }, rateLimitPerSecond: 5, circuitBreaker: null });
    expect(await patch({ timeoutSeconds: null, rateLimitPerSecond: 'default' })).toEqual({
      retry: { multiplier: 2 },
      circuitBreaker: null,
    });
    expect(await patch(null)).toEqual({});
  });

  it('still means off and no limit where it did', async () => {
    const policy = { circuitBreaker: null, disableAfterHours: null, rateLimitPerSecond: null };
    const answer = await aWorld().ask({ method: 'PATCH', path: endpoint, body: { policy } });
    expect(JSON.parse(answer.body)).toMatchObject({ policy });
  });
});

it('an endpoint without a subscription is told so when it is made: it would wait for events in vain', async () => {
  const make = async (body: object) =>
    JSON.parse((await aWorld().ask({ method: 'POST', path: endpoints, body })).body) as {
      warnings?: unknown;
    };
  expect((await make({ url })).warnings).toEqual([
    { code: 'no_subscription', detail: 'It receives nothing yet: subscribe it by eventTypes or categories.' },
  ]);
  expect(await make({ url, categories: ['governance'] })).not.toHaveProperty('warnings');
});

describe('a refusal of a token (RFC 6750)', () => {
  it('names the scope that is lacking', async () => {
    const claims = { sub: 'user_5', organizationId: 'org_1', scope: 'webhooks:read' };
    const answer = await aWorld().ask({ method: 'POST', path: endpoints, body: { url }, claims });
    expect(answer.statusCode).toBe(403);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="webhooks:write"',
    );
  });

  it('of a request that has come past the authorizer is a 401, and does nothing', async () => {
    const service = aWorld();
    const answer = await service.ask({ method: 'DELETE', path: endpoint, claims: null });
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await service.ask({ path: endpoint })).statusCode).toBe(200);
  });
});

describe('a body', () => {
  const json = JSON.stringify({ url });

  it.each<[string, string | null]>([
    ['JSON', 'application/json'],
    ['JSON, with its charset', 'Application/JSON; charset=UTF-8'],
    ['nothing', null],
  ])('that says it is %s is read', async (_what, contentType) => {
    const answer = await aWorld().ask({ method: 'POST', path: endpoints, body: json, contentType });
    expect(answer.statusCode).toBe(201);
  });

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8',
    'multipart/form-data; boundary=a',
    'application/merge-patch+json',
    'application/json; charset=iso-8859-1',
    'application/jsonp',
    '',
  ])('that says it is something else is refused, and told what is taken: %s', async (contentType) => {
    const answer = await aWorld().ask({ method: 'POST', path: endpoints, body: json, contentType });
    expect([answer.statusCode, answer.headers['accept-post']]).toEqual([415, 'application/json']);
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'unsupported_media_type',
      detail: 'The body must be sent as content-type: application/json, in UTF-8.',
    });
  });

  it.each(['gzip', 'identity, br'])(
    'that is compressed is refused, and told how: %s',
    async (contentEncoding) => {
      const answer = await aWorld().ask({ method: 'POST', path: endpoints, body: '\u001f', contentEncoding });
      expect([answer.statusCode, answer.headers['accept-encoding']]).toEqual([415, 'identity']);
      expect(JSON.parse(answer.body)).toMatchObject({
        code: 'unsupported_media_type',
        detail: expect.stringContaining('content-encoding') as string,
      });
    },
  );

  it('that says that it is not is taken', async () => {
    const wish = { method: 'POST', path: endpoints, body: json, contentEncoding: 'identity' } as const;
    expect((await aWorld().ask(wish)).statusCode).toBe(201);
  });

  it('of a PATCH may be a merge patch (RFC 7396)', async () => {
    const patch = { method: 'PATCH', path: endpoint, body: { description: 'mine' } } as const;
    const contentType = 'application/merge-patch+json';
    expect((await aWorld().ask({ ...patch, contentType })).statusCode).toBe(200);
    const other = await aWorld().ask({ ...patch, contentType: 'application/json-patch+json' });
    expect([other.statusCode, other.headers['accept-patch']]).toEqual([
      415,
      'application/json, application/merge-patch+json',
    ]);
  });

  it.each(['application/vnd.aai.asyncapi+json;version=3.0.0', 'application/schema+json', 'application/json'])(
    'of an import of event types may be a document of its own type: %s',
    async (contentType) => {
      const body = { $defs: { 'invoice.paid': { 'x-category': 'governance' } } };
      const wish = { method: 'POST', path: '/v1/event-types/import', body, claims: operator } as const;
      expect((await aWorld().ask({ ...wish, contentType })).statusCode).toBe(200);
    },
  );
});

describe('what a browser is told', () => {
  it('of every answer: that it is what it says it is', async () => {
    for (const path of [endpoints, '/v1/nothing', '/reference', '/openapi.json']) {
      expect((await aWorld().ask({ path })).headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('of the reference: that it runs nothing, loads nothing, and stands in no frame', async () => {
    const { headers } = await aWorld().ask({ path: '/reference', claims: null });
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' });
  });
});
