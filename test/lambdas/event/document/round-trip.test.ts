import asyncApiSpecs from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { builtInEventTypes } from '../../../../lambdas/event/catalogue.ts';
import type { EventTypeDefinition } from '../../../../lambdas/event/event-type.ts';
import { aService, operator } from '../../api/a-service.ts';
import type { Service } from '../../api/a-service.ts';

const own: Readonly<Record<string, EventTypeDefinition>> = {
  'billing.invoice.due': { category: 'governance', description: 'An invoice is due.' },
  'billing.invoice.paid': {
    category: 'governance',
    description: 'An invoice was paid.',
    example: { amount: '12.50', lines: [{ text: 'Hosting' }] },
    schema: {
      title: 'Invoice',
      description: 'The schema has a description of its own.',
      type: 'object',
      required: ['amount'],
      properties: {
        amount: { type: 'string' },
        lines: { type: 'array', items: { $ref: '#/$defs/line' } },
        $ref: { const: { $ref: '#/not/a/reference' } },
      },
      $defs: { line: { type: 'object', properties: { text: { type: 'string' } } } },
    },
  },
  'org.tree.changed': {
    category: 'orchestration',
    description: 'A tree of itself.',
    example: { children: [{ children: [] }] },
    schema: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } },
    deprecated: { since: '2026-11-01T00:00:00.000Z', replacedBy: 'billing.invoice.due', note: 'Gone soon.' },
  },
  'org.tree.grown': {
    category: 'orchestration',
    description: 'Its schema has a name of its own.',
    example: { leaf: 1 },
    schema: {
      $id: 'https://schemas.example.com/grown',
      properties: { leaf: { $ref: '#/$defs/leaf' } },
      $defs: { leaf: { type: 'number' } },
    },
  },
  'org.tree.felled': { category: 'orchestration', description: 'Anything goes.', schema: {} },
};

const formats = ['asyncapi', 'jsonschema'];

describe.each(formats)('the catalogue as %s', (format) => {
  it('comes back from where it was taken to as it was', async () => {
    const from = await aCatalogue();
    const to = aService();
    const document = await exportOf(from, format);
    const answer = await importInto(to, document);
    expect(outcomesOf(answer.body)).toEqual({
      ...Object.fromEntries(Object.keys(own).map((name) => [name, 'added'])),
      ...Object.fromEntries(builtInEventTypes.map(({ name }) => [name, 'ignored'])),
    });
    expect(byName(await to.eventTypes.list())).toEqual(byName(await from.eventTypes.list()));
    expect(await exportOf(to, format)).toEqual(document);
  });

  it('imported where it comes from changes nothing, and writes nothing', async () => {
    const service = await aCatalogue();
    const writtenDown = (await service.audit.list('*', { limit: 250 })).data.length;
    const answer = await importInto(service, await exportOf(service, format));
    expect(new Set(Object.values(outcomesOf(answer.body)))).toEqual(new Set(['unchanged', 'ignored']));
    expect((await service.audit.list('*', { limit: 250 })).data).toHaveLength(writtenDown);
  });
});

describe('what other tools read', () => {
  it('is AsyncAPI 3.0 by the official schema', async () => {
    const ajv = new Ajv({ strict: false, logger: false });
    addFormats.default(ajv);
    const isAsyncApi = ajv.compile(asyncApiSpecs);
    const document = await exportOf(await aCatalogue(), 'asyncapi');
    expect([isAsyncApi(document), isAsyncApi.errors]).toEqual([true, null]);
    // And the check can fail.
    expect(isAsyncApi({ ...document, asyncapi: '9' })).toBe(false);
  });

  it('takes the headers of a delivery by either scheme: a token was refused for want of a signature', async () => {
    const { components } = z
      .looseObject({ components: z.looseObject({ schemas: z.looseObject({ _headers: z.looseObject({}) }) }) })
      .parse(await exportOf(await aCatalogue(), 'asyncapi'));
    const { _headers } = components.schemas;
    const isTaken = new Ajv2020({ strict: false }).compile({ ..._headers, additionalProperties: false });
    const common = { 'webhook-id': 'evt_1', 'webhook-timestamp': '1' };
    const seals = [{ 'webhook-signature': 'v1,x' }, { 'webhook-jwt': 'x.y.z' }];
    expect(seals.map((seal) => isTaken({ ...common, ...seal }))).toEqual([true, true]);
  });

  it.each(formats)('as %s, each schema holds for its example, and not for what breaks it', async (format) => {
    const place = format === 'asyncapi' ? '#/components/schemas' : '#/$defs';
    const document = await exportOf(await aCatalogue(), format);
    const validatorOf = (name: string) =>
      new Ajv2020({ strict: false, logger: false }).compile({ ...document, $ref: `${place}/${name}` });
    for (const [name, { example, schema }] of Object.entries(own)) {
      if (schema !== undefined && example !== undefined)
        expect([name, validatorOf(name)(example)]).toEqual([name, true]);
    }
    expect(validatorOf('billing.invoice.paid')({ amount: '1', lines: [{ text: 5 }] })).toBe(false);
    expect(validatorOf('org.tree.changed')({ children: [{ children: 5 }] })).toBe(false);
    expect(validatorOf('org.tree.grown')({ leaf: 'none' })).toBe(false);
  });
});

async function aCatalogue(): Promise<Service> {
  const service = aService();
  for (const [name, body] of Object.entries(own)) {
    const answer = await service.ask({
      method: 'PUT',
      path: `/v1/event-types/${name}`,
      body,
      claims: operator,
    });
    expect([name, answer.statusCode]).toEqual([name, 201]);
  }
  return service;
}

async function exportOf(service: Service, format: string): Promise<Record<string, unknown>> {
  const { body } = await service.ask({ path: '/v1/event-types/export', query: { format } });
  return z.record(z.string(), z.unknown()).parse(JSON.parse(body));
}

function importInto(service: Service, body: unknown) {
  return service.ask({ method: 'POST', path: '/v1/event-types/import', body, claims: operator });
}

const answered = z.object({ eventTypes: z.array(z.object({ name: z.string(), outcome: z.string() })) });

function outcomesOf(body: string): Record<string, string> {
  const { eventTypes } = answered.parse(JSON.parse(body));
  return Object.fromEntries(eventTypes.map(({ name, outcome }) => [name, outcome]));
}

function byName(types: readonly { name: string }[]) {
  return types.toSorted((a, b) => a.name.localeCompare(b.name));
}
