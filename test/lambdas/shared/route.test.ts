import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { noBody, noParams, noQuery, route } from '../../../lambdas/shared/route.ts';
import type { RawRequest } from '../../../lambdas/shared/route.ts';

const caller = { subject: 'user_5', organizationId: 'org_1', scopes: new Set<string>() };
const policy = z.strictObject({ retry: z.strictObject({ multiplier: z.number().min(1) }).optional() });

const example = route({
  method: 'POST',
  path: '/v1/things/{thingId}',
  operationId: 'makeThing',
  summary: 'Make a thing',
  scope: 'webhooks:write',
  entitlement: 'write',
  params: z.strictObject({ thingId: z.string().min(1) }),
  query: z.strictObject({ limit: z.coerce.number().int().default(50) }),
  body: z.strictObject({ policy: policy.optional(), tags: z.array(z.string()).default([]) }),
  answer: { status: 201, schema: z.unknown() },
  handle: (request) => Promise.resolve(request),
});

function run(changes: Partial<RawRequest>) {
  return example.run({ params: { thingId: 't' }, query: {}, body: {}, caller, ...changes });
}

describe('route', () => {
  it('hands on what its schemas made of the request, with the caller, under its own status', async () => {
    expect(await run({ query: { limit: '7' } })).toMatchObject({
      status: 201,
      body: { params: { thingId: 't' }, query: { limit: 7 }, body: { tags: [] }, caller },
    });
  });

  it('does not handle what it could not parse', async () => {
    let isHandled = false;
    const handle = () => Promise.resolve((isHandled = true));
    const strict = route({ ...example, params: noParams, query: noQuery, body: noBody, handle });
    await expect(strict.run({ params: {}, query: {}, body: { a: 1 }, caller })).rejects.toThrow();
    expect(isHandled).toBe(false);
  });

  it.each([
    ['in the body', { body: { surprise: 1 } }, 'surprise'],
    ['deep in the body', { body: { policy: { retry: { multiplier: 2, tries: 3 } } } }, 'policy.retry.tries'],
    ['in the query', { query: { sort: 'asc' } }, 'sort'],
  ])('a field that is not known is refused and named: %s', async (_where, changes, field) => {
    await expect(run(changes)).rejects.toMatchObject({ status: 400, code: 'unknown_field', field });
  });

  it.each([
    ['of a wrong type', { body: { tags: ['a', 5] } }, 'tags.1'],
    ['out of bounds', { body: { policy: { retry: { multiplier: 0 } } } }, 'policy.retry.multiplier'],
    ['missing', { params: {} }, 'thingId'],
    ['in the query', { query: { limit: 'ten' } }, 'limit'],
  ])('a wrong field is refused and named: %s', async (_what, changes, field) => {
    await expect(run(changes)).rejects.toMatchObject({ status: 400, code: 'invalid_request', field });
  });

  it.each([undefined, null, [], 'text', 5])('a body that is no object is refused: %j', async (body) => {
    await expect(run({ body })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_request',
      field: undefined,
    });
  });

  it('a refusal never quotes what was sent', async () => {
    const planted = 'planted-secret';
    const bodies = [
      { tags: planted },
      { tags: [[planted]] },
      { policy: { retry: planted } },
      planted,
      [planted],
    ];
    for (const body of bodies) {
      await expect(run({ body })).rejects.toMatchObject({
        message: expect.not.stringContaining(planted) as unknown,
      });
    }
  });

  it('an endless field name is cut short in the sentence', async () => {
    const refusal = await run({ body: { ['x'.repeat(100_000)]: 1 } }).catch((thrown: unknown) => thrown);
    expect(String(refusal).length).toBeLessThan(250);
  });

  it('a body is refused where none is taken, also an empty object', async () => {
    const bodiless = route({ ...example, body: noBody, handle: () => Promise.resolve() });
    const request = { params: { thingId: 't' }, query: {}, caller };
    await expect(bodiless.run({ ...request, body: {} })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'The body must be left out: this operation takes none.',
    });
    await expect(bodiless.run({ ...request, body: undefined })).resolves.toEqual({
      status: 201,
      body: undefined,
    });
  });
});
