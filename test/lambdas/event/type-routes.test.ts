import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { builtInEventTypes } from '../../../lambdas/event/catalogue.ts';
import type { SchemaRule } from '../../../lambdas/event/schema.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aService, operator } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const path = '/v1/event-types/billing.invoice.paid';
const definition = {
  category: 'governance',
  description: 'An invoice was paid.',
  example: { amount: '12.50' },
};

describe('the catalogue over HTTP', () => {
  it('lists what is built in and what was added, by name', async () => {
    const service = aService();
    await put(service, path, definition);
    const names = await namesIn(service);
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)));
    expect(new Set(names)).toEqual(
      new Set([...builtInEventTypes.map(({ name }) => name), 'billing.invoice.paid']),
    );
  });

  it('an added type is shown as it was described, and says that it is not built in', async () => {
    const answer = await put(aService(), path, definition);
    expect(JSON.parse(answer.body)).toEqual({
      ...definition,
      name: 'billing.invoice.paid',
      isBuiltIn: false,
    });
  });

  it('an added type can be changed, and stands there once', async () => {
    const service = aService();
    await put(service, path, definition);
    await put(service, path, { ...definition, description: 'Paid in full.' });
    expect((await namesIn(service)).filter((name) => name === 'billing.invoice.paid')).toHaveLength(1);
  });

  it('a removed type is gone, and cannot be removed twice', async () => {
    const service = aService();
    await put(service, path, definition);
    const remove = () => service.ask({ method: 'DELETE', path, claims: operator });
    expect((await remove()).statusCode).toBe(204);
    expect(await namesIn(service)).not.toContain('billing.invoice.paid');
    expect((await remove()).statusCode).toBe(404);
  });

  it.each(builtInEventTypes)('$name is built in: nobody changes or removes it', async ({ name }) => {
    const service = aService();
    const builtIn = `/v1/event-types/${name}`;
    for (const answer of [
      await put(service, builtIn, definition),
      await service.ask({ method: 'DELETE', path: builtIn, claims: operator }),
    ]) {
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 409,
        code: 'built_in_event_type',
        field: 'name',
      });
    }
    expect(await service.eventTypes.list()).toEqual([]);
  });

  it.each(['userCreated', 'Order.Placed', 'payment.3ds.failed', 'single', 'user.created-now', 'constructor'])(
    '%s, as producers name their events elsewhere, is a type like any other',
    async (name) => {
      const service = aService();
      service.configuration.setOrganization(anOrganization());
      const where = `/v1/event-types/${name}`;
      expect((await put(service, where, definition)).statusCode).toBeLessThan(300);
      expect(JSON.parse((await service.ask({ path: where })).body)).toMatchObject({ name });
      const organization = '/v1/organizations/org_1';
      const body = {
        url: 'https://a.example.com/',
        eventTypes: [name, ...(name.includes('.') ? [`${name.split('.')[0] ?? ''}.*`] : [])],
      };
      const made = await service.ask({ method: 'POST', path: `${organization}/endpoints`, body });
      expect(made.statusCode).toBe(201);
      const event = { type: name, data: {} };
      const preview = await service.ask({
        method: 'POST',
        path: `${organization}/events/preview`,
        body: event,
      });
      expect(preview.body).toContain('"receives":true');
      const published = await service.ask({ method: 'POST', path: `${organization}/events`, body: event });
      expect(published.statusCode).toBe(202);
      for (const format of ['asyncapi', 'jsonschema']) {
        const exported = await service.ask({ path: '/v1/event-types/export', query: { format } });
        expect(exported.body).toContain(name);
      }
    },
  );

  it.each<[string, { where?: string; body: object }, string]>([
    ['a name with a space', { where: '/v1/event-types/Billing Paid', body: definition }, 'name'],
    ['a name that begins with _', { where: '/v1/event-types/__proto__', body: definition }, 'name'],
    ['the category of the test event', { body: { ...definition, category: 'test' } }, 'category'],
    ['no description', { body: { category: 'governance' } }, 'description'],
    ['an example that is a list', { body: { ...definition, example: [] } }, 'example'],
    ['a name in its body', { body: { ...definition, name: 'a.b' } }, 'name'],
    ['a claim to be built in', { body: { ...definition, isBuiltIn: true } }, 'isBuiltIn'],
  ])('refuses %s', async (_what, { where = path, body }, field) => {
    const service = aService();
    expect(JSON.parse((await put(service, where, body)).body)).toMatchObject({ status: 400, field });
    expect(await service.eventTypes.list()).toEqual([]);
  });
});

describe('one type', () => {
  it('is shown by its name, with an ETag; one that is not there is missing', async () => {
    const service = aService();
    await put(service, path, definition);
    const answer = await service.ask({ path });
    expect(JSON.parse(answer.body)).toMatchObject({ ...definition, isBuiltIn: false });
    expect(answer.headers).toHaveProperty('etag');
    const builtIn = await service.ask({ path: '/v1/event-types/pipeline.run.failed' });
    expect(JSON.parse(builtIn.body)).toMatchObject({ isBuiltIn: true });
    expect((await service.ask({ path: '/v1/event-types/billing.unknown' })).statusCode).toBe(404);
  });

  it('is found by category, by the beginning of its name, and by whether it will go away', async () => {
    const service = aService();
    await put(service, path, { ...definition, deprecated: {} });
    expect(await namesIn(service, { category: 'governance', deprecated: 'true' })).toEqual([
      'billing.invoice.paid',
    ]);
    expect(await namesIn(service, { prefix: 'billing.' })).toEqual(['billing.invoice.paid']);
    expect(await namesIn(service, { prefix: 'billing.', deprecated: 'false' })).toEqual([]);
    expect(await namesIn(service, { category: 'orchestration' })).toHaveLength(3);
  });
});

describe('a type that two operators change', () => {
  it('keeps what the first one has set, and the second one is told', async () => {
    const service = aService();
    const seen = (await put(service, path, definition)).headers['etag'] ?? '';
    const change = (body: object, ifMatch: string) =>
      service.ask({ method: 'PUT', path, body, ifMatch, claims: operator });
    expect((await change({ ...definition, description: 'First.' }, seen)).statusCode).toBe(200);
    const late = await change({ ...definition, description: 'Second.' }, seen);
    expect(JSON.parse(late.body)).toMatchObject({ status: 412, code: 'changed_meanwhile' });
    const remove = { method: 'DELETE', path, claims: operator } as const;
    expect((await service.ask({ ...remove, ifMatch: seen })).statusCode).toBe(412);
    expect(await service.eventTypes.list()).toMatchObject([{ description: 'First.' }]);
  });

  it('while somebody else removes it stays, as it has become: also for who said what he had seen', async () => {
    const service = aService();
    const seen = (await put(service, path, definition)).headers['etag'] ?? '';
    const { remove } = service.eventTypes;
    service.eventTypes.remove = async (before) => {
      await put(service, path, { ...definition, description: 'Theirs.' });
      return remove(before);
    };
    const wish = { method: 'DELETE', path, claims: operator } as const;
    const answer = await service.ask({ ...wish, ifMatch: seen });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 412, code: 'changed_meanwhile' });
    expect(await service.eventTypes.list()).toMatchObject([{ description: 'Theirs.' }]);
  });

  it('at the same moment: one of them is told to try again', async () => {
    const service = aService();
    const answers = await Promise.all(
      ['First.', 'Second.'].map((description) => put(service, path, { ...definition, description })),
    );
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 409]);
    expect(await service.eventTypes.list()).toHaveLength(1);
  });
});

describe('a type that will go away', () => {
  it('says since when, and keeps saying so', async () => {
    const service = aService();
    const deprecated = { replacedBy: 'pipeline.run.failed', note: 'Use the other one.' };
    const first = shownOf(await put(service, path, { ...definition, deprecated }));
    expect(first.deprecated).toEqual({ ...deprecated, since: service.clock.iso() });
    service.clock.pass(86_400_000);
    const later = shownOf(await put(service, path, { ...definition, deprecated: {} }));
    expect(later.deprecated).toEqual({ since: first.deprecated?.since });
  });

  it('names what takes its place only if it is there', async () => {
    const service = aService();
    const answer = await put(service, path, { ...definition, deprecated: { replacedBy: 'billing.other' } });
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 400,
      code: 'unknown_event_type',
      field: 'deprecated.replacedBy',
    });
    expect(await service.eventTypes.list()).toEqual([]);
  });
});

const aThousandTimes = {
  $defs: {
    part: {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`g${n}`, true])),
    },
  },
  properties: Object.fromEntries(
    Array.from({ length: 1_000 }, (_, n) => [`f${n}`, { $ref: '#/$defs/part' }]),
  ),
};

describe('a schema', () => {
  const amount = { type: 'object', properties: { amount: { type: 'string' } } };
  it.each<[string, object, string, string]>([
    ['that is none', { schema: { type: 'money' } }, 'invalid_schema', 'schema'],
    [
      'of another draft',
      { schema: { $schema: 'http://json-schema.org/draft-07/schema#' } },
      'invalid_schema',
      'schema',
    ],
    [
      'that would have to be fetched',
      { schema: { $ref: 'https://evil.example.com/s' } },
      'invalid_schema',
      'schema',
    ],
    ['that is a promise', { schema: { $async: true } }, 'invalid_schema', 'schema'],
    ['that refers to itself', { schema: { $ref: '#' } }, 'invalid_schema', 'schema'],
    ['that alternates with itself', { schema: { anyOf: [{ $ref: '#' }] } }, 'invalid_schema', 'schema'],
    [
      'whose references go in a circle',
      { schema: { $defs: { a: { $ref: '#b' }, b: { $anchor: 'b', not: { $ref: '#/$defs/a' } } } } },
      'invalid_schema',
      'schema',
    ],
    [
      'that goes in a circle by dynamic references',
      { schema: { $dynamicAnchor: 'a', allOf: [{ $dynamicRef: '#a' }] } },
      'invalid_schema',
      'schema',
    ],
    [
      'that has the name of the draft',
      { schema: { $id: 'https://json-schema.org/draft/2020-12/schema' } },
      'invalid_schema',
      'schema',
    ],
    [
      'of which a part has it',
      { schema: { properties: { a: { $id: 'https://json-schema.org/draft/2020-12/meta/core#' } } } },
      'invalid_schema',
      'schema',
    ],
    [
      'that has the name of an older draft',
      { schema: { $id: 'http://json-schema.org/draft-07/schema#' } },
      'invalid_schema',
      'schema',
    ],
    [
      'that its example breaks',
      { schema: amount, example: { amount: 5 } },
      'example_breaks_schema',
      'example',
    ],
  ])('%s is refused, and nothing is kept', async (...[, more, code, field]) => {
    const service = aService();
    const answer = await put(service, path, { ...definition, ...more });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code, field });
    expect(await service.eventTypes.list()).toEqual([]);
  });

  it.each<[string, object]>([
    ['goes into the data', { properties: { next: { $ref: '#' } } }],
    ['is a tree', { $dynamicAnchor: 'node', properties: { all: { items: { $dynamicRef: '#node' } } } }],
    ['only looks like a circle', { enum: [{ $ref: '#', $async: true }, { a: 1 }], default: { $ref: '#' } }],
    ['has properties of such names', { properties: { $ref: { type: 'string' }, $async: true, $id: true } }],
    ['looks ahead', { properties: { name: { pattern: '^(?!admin)' } } }],
    ['refers a thousand times to one part', aThousandTimes],
  ])('that %s is a good one', async (_what, schema) => {
    expect(
      (await put(aService(), path, { category: 'governance', description: 'x', schema })).statusCode,
    ).toBe(201);
  });

  it('that two types have which were made at once leaves each of them changeable', async () => {
    const service = aService();
    const named = { ...definition, schema: { $id: 'https://acme.example/invoice' } };
    const paths = [path, '/v1/event-types/billing.invoice.sent'];
    const both = await Promise.all(paths.map((one) => put(service, one, named)));
    expect(both.map(({ statusCode }) => statusCode)).toEqual([201, 201]);
    for (const one of paths)
      expect((await put(service, one, { ...named, description: 'Changed.' })).statusCode).toBe(200);
  });

  it('that has the name of another type’s is refused, and its own type may change', async () => {
    const service = aService();
    const named = { ...definition, schema: { $id: 'https://acme.example/invoice' } };
    expect((await put(service, path, named)).statusCode).toBe(201);
    expect((await put(service, path, { ...named, description: 'Changed.' })).statusCode).toBe(200);
    for (const $id of ['https://acme.example/invoice#', 'HTTPS://ACME.example/invoice']) {
      const other = { ...definition, schema: { $id } };
      const answer = await put(service, '/v1/event-types/billing.invoice.sent', other);
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 409,
        code: 'schema_id_taken',
        field: 'schema.$id',
      });
    }
    const another = { ...definition, schema: { $id: 'https://acme.example/Invoice' } };
    expect((await put(service, '/v1/event-types/billing.invoice.sent', another)).statusCode).toBe(201);
  });

  it('is refused with all that goes with it, when it is too large', async () => {
    const schema = { description: 'x'.repeat(65_536) };
    const answer = await put(aService(), path, { ...definition, schema });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: 'event_type_too_large' });
  });

  it('no more than 500 types are kept; those that are there can be changed', async () => {
    const service = aService();
    for (let n = 0; n < 500; n += 1) {
      const name = `billing.number_${String(n)}`;
      await service.eventTypes.replace(undefined, {
        category: 'governance',
        description: 'x',
        name,
        isBuiltIn: false,
      });
    }
    expect(JSON.parse((await put(service, path, definition)).body)).toMatchObject({
      status: 409,
      code: 'too_many_event_types',
    });
    expect((await put(service, '/v1/event-types/billing.number_7', definition)).statusCode).toBe(200);
  });
});

describe('publishing and previewing data that break the schema of their type', () => {
  const schema = { type: 'object', required: ['amount'], properties: { amount: { type: 'string' } } };
  const events = '/v1/organizations/org_1/events';
  const body = { type: 'billing.invoice.paid', data: { PLANTED: 'PLANTED', amount: 5 } };

  async function aWorld(schemas: SchemaRule) {
    const service = aService({ schemas });
    service.configuration.setOrganization(anOrganization());
    await put(service, path, { category: 'governance', description: 'Paid.', schema, deprecated: {} });
    return service;
  }

  describe('that nobody can judge by a schema of long ago', () => {
    const stored = {
      category: 'governance' as const,
      description: 'x',
      name: 'billing.invoice.odd',
      isBuiltIn: false,
      schema: { $ref: '#' },
    };
    const odd = { type: stored.name, data: { PLANTED: 1 } };

    it.each([events, `${events}/preview`])(
      'is refused by the strict, and published by others: POST %s',
      async (path) => {
        const [strict, lenient] = [await aWorld('strict'), await aWorld('warn')];
        for (const service of [strict, lenient]) await service.eventTypes.replace(undefined, stored);
        const refused = await strict.ask({ method: 'POST', path, body: odd });
        expect(JSON.parse(refused.body)).toMatchObject({
          status: 400,
          code: 'schema_not_judged',
          field: 'data',
        });
        const taken = await lenient.ask({ method: 'POST', path, body: odd });
        expect(taken.statusCode).toBeLessThan(300);
        expect(JSON.parse(taken.body)).toMatchObject({
          warning: expect.stringContaining('leads deeper') as string,
        });
      },
    );
  });

  it.each([events, `${events}/preview`])('is refused by the strict: POST %s', async (path) => {
    const service = await aWorld('strict');
    const answer = await service.ask({ method: 'POST', path, body });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'schema_violation', field: 'data' });
    expect(answer.body).toContain('#/properties/amount/type');
    expect(answer.body).not.toContain('PLANTED');
    expect(service.published).toEqual([]);
  });

  it.each([
    [events, 202],
    [`${events}/preview`, 200],
  ])('is warned of by the others: POST %s', async (path, status) => {
    const service = await aWorld('warn');
    const answer = await service.ask({ method: 'POST', path, body });
    expect(answer.statusCode).toBe(status);
    expect(answer.body).toContain('#/properties/amount/type: must be of the type');
    expect(answer.body).not.toContain('PLANTED');
    const good = { ...body, data: { amount: '5' } };
    expect((await service.ask({ method: 'POST', path, body: good })).body).not.toContain('warning');
  });

  it('a preview says that the type will go away', async () => {
    const service = await aWorld('warn');
    const answer = await service.ask({
      method: 'POST',
      path: `${events}/preview`,
      body: { type: body.type },
    });
    expect(JSON.parse(answer.body)).toMatchObject({ deprecated: { since: service.clock.iso() } });
  });
});

const shownType = z.object({ deprecated: z.object({ since: z.string() }).loose().optional() });

function shownOf({ body }: { body: string }) {
  return shownType.parse(JSON.parse(body));
}

function put(service: Service, path: string, body: object) {
  return service.ask({ method: 'PUT', path, body, claims: operator });
}

async function namesIn(service: Service, query: Record<string, string> = {}): Promise<string[]> {
  const { body } = await service.ask({ path: '/v1/event-types', query });
  return z
    .object({ data: z.array(z.object({ name: z.string() })) })
    .parse(JSON.parse(body))
    .data.map(({ name }) => name);
}
