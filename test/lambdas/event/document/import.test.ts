import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aService, operator } from '../../api/a-service.ts';
import type { Service } from '../../api/a-service.ts';

const path = '/v1/event-types/import';

/** As people write it: version 2, messages shared by references, payloads with and without an envelope. */
const second = {
  asyncapi: '2.6.0',
  info: { title: 'Shop', version: '1.0.0' },
  channels: {
    'order.placed': { subscribe: { message: { $ref: '#/components/messages/OrderPlaced' } } },
    'order.ended': {
      subscribe: {
        message: {
          oneOf: [
            {
              name: 'order.shipped',
              summary: 'It is on its way.',
              payload: { $ref: '#/components/schemas/Order' },
            },
            { name: 'order.returned', payload: true },
          ],
        },
      },
    },
    'user/signed/up': { publish: { message: { title: 'No name of an event type' } } },
  },
  components: {
    messages: {
      OrderPlaced: {
        name: 'order.placed',
        title: 'Order placed',
        description: 'Somebody ordered something.',
        tags: [{ name: 'shop' }, { name: 'orchestration' }],
        payload: {
          type: 'object',
          properties: { type: { type: 'string' }, data: { $ref: '#/components/schemas/Order' } },
        },
        examples: [{ payload: { type: 'order.placed', data: { lines: [{ sku: 'a-1' }] } } }],
      },
    },
    schemas: {
      Order: {
        type: 'object',
        properties: {
          lines: { type: 'array', items: { $ref: '#/components/schemas/Line' } },
          before: { $ref: '#/components/schemas/Order' },
        },
      },
      Line: {
        type: 'object',
        properties: { sku: { type: 'string' }, of: { $ref: '#/components/schemas/Order' } },
      },
    },
  },
};

const order = {
  type: 'object',
  properties: {
    lines: { type: 'array', items: { $ref: '#/$defs/Line' } },
    before: { $ref: '#' },
  },
  $defs: { Line: { type: 'object', properties: { sku: { type: 'string' }, of: { $ref: '#' } } } },
};

describe('a document of others', () => {
  it('AsyncAPI 2.6: each message is a type, with all that its schema refers to', async () => {
    const service = aService();
    const answer = await send(service, second, { category: 'governance' });
    expect(outcomesOf(answer.body)).toEqual([
      { name: 'order.placed', outcome: 'added' },
      { name: 'order.shipped', outcome: 'added' },
      { name: 'order.returned', outcome: 'added' },
      { name: 'user/signed/up', outcome: 'ignored', reason: 'not_an_event_type' },
    ]);
    expect(await service.eventTypes.list()).toEqual([
      {
        name: 'order.placed',
        category: 'orchestration',
        description: 'Somebody ordered something.',
        example: { lines: [{ sku: 'a-1' }] },
        schema: order,
        isBuiltIn: false,
      },
      { name: 'order.returned', category: 'governance', description: 'order.returned', isBuiltIn: false },
      {
        name: 'order.shipped',
        category: 'governance',
        description: 'It is on its way.',
        schema: order,
        isBuiltIn: false,
      },
    ]);
  });

  it('AsyncAPI 3: a schema may stand beside the name of its format', async () => {
    const service = aService();
    const payload = { schemaFormat: 'application/schema+json;version=draft-07', schema: { type: 'object' } };
    await send(service, third({ Paid: { name: 'invoice.paid', payload, deprecated: true } }), {
      category: 'governance',
    });
    expect(await service.eventTypes.list()).toMatchObject([
      { name: 'invoice.paid', schema: { type: 'object' }, deprecated: { since: service.clock.iso() } },
    ]);
  });

  it('JSON Schema: a definition of one word is a type if it has a category, and a part of others if not', async () => {
    const $defs = { userCreated: { 'x-category': 'governance' }, Address: { type: 'object' } };
    const answer = await send(aService(), { $defs }, { category: 'governance' });
    expect(outcomesOf(answer.body)).toEqual([
      { name: 'userCreated', outcome: 'added' },
      { name: 'Address', outcome: 'ignored', reason: 'not_an_event_type' },
    ]);
  });

  it('JSON Schema: a definition that is named like a type is one, and brings the others along', async () => {
    const service = aService();
    const $defs = {
      'invoice.paid': {
        description: 'Paid.',
        'x-category': 'governance',
        examples: [{ amount: '1' }],
        type: 'object',
        properties: { amount: { $ref: '#/$defs/amount' } },
      },
      amount: { type: 'string' },
    };
    const answer = await send(service, { $defs });
    expect(outcomesOf(answer.body)).toEqual([
      { name: 'invoice.paid', outcome: 'added' },
      { name: 'amount', outcome: 'ignored', reason: 'not_an_event_type' },
    ]);
    expect(await service.eventTypes.list()).toMatchObject([
      {
        name: 'invoice.paid',
        description: 'Paid.',
        example: { amount: '1' },
        schema: {
          type: 'object',
          properties: { amount: { $ref: '#/$defs/amount' } },
          $defs: { amount: { type: 'string' } },
        },
      },
    ]);
  });
});

describe('an import', () => {
  const paid = { 'x-category': 'governance', description: 'Paid.' };

  it('as a dry run shows what it would change, and writes nothing', async () => {
    const service = aService();
    await send(service, { $defs: { 'invoice.paid': paid } });
    const before = await service.eventTypes.list();
    const $defs = { 'invoice.paid': { ...paid, description: 'Paid in full.' }, 'invoice.due': paid };
    const answer = await send(service, { $defs }, { dryRun: 'true' });
    expect(JSON.parse(answer.body)).toEqual({
      dryRun: true,
      eventTypes: [
        {
          name: 'invoice.paid',
          outcome: 'changed',
          changes: [{ field: 'description', before: 'Paid.', after: 'Paid in full.' }],
        },
        { name: 'invoice.due', outcome: 'added' },
      ],
    });
    expect(await service.eventTypes.list()).toEqual(before);
  });

  it('leaves what it does not name, and stands in the audit type by type', async () => {
    const service = aService();
    await send(service, { $defs: { 'invoice.paid': paid, 'invoice.due': paid } });
    await send(service, { $defs: { 'invoice.due': { ...paid, description: 'Due.' } } });
    expect(await service.eventTypes.list()).toMatchObject([
      { name: 'invoice.due', description: 'Due.' },
      { name: 'invoice.paid', description: 'Paid.' },
    ]);
    expect((await service.audit.list('*', { limit: 250 })).data).toMatchObject([
      {
        operation: 'importEventTypes',
        before: { name: 'invoice.due', description: 'Paid.' },
        after: { description: 'Due.' },
      },
      { operation: 'importEventTypes', after: { name: 'invoice.due' } },
      { operation: 'importEventTypes', after: { name: 'invoice.paid' } },
    ]);
  });

  it('takes a replacement that comes with it', async () => {
    const service = aService();
    const $defs = {
      'invoice.paid': { ...paid, 'x-deprecated': { replacedBy: 'invoice.settled' } },
      'invoice.settled': paid,
    };
    expect((await send(service, { $defs })).statusCode).toBe(200);
  });

  const many = Object.fromEntries(
    Array.from({ length: 501 }, (_, index) => [`invoice.n${String(index)}`, paid]),
  );
  const large = (bytes: number) => ({ ...paid, examples: [{ text: 'x'.repeat(bytes) }] });

  it.each<[string, unknown, { status?: number; code: string; field?: string }]>([
    ['neither of both', { openapi: '3.1.0' }, { code: 'unknown_document' }],
    ['a list', [], { code: 'invalid_request' }],
    ['AsyncAPI 1', { asyncapi: '1.2.0', topics: {} }, { code: 'unknown_document' }],
    [
      'a message that is a text',
      third({ Paid: 'x' }),
      { code: 'invalid_request', field: 'components.messages.Paid' },
    ],
    [
      'two messages of one name',
      third({ A: { name: 'invoice.paid', ...tagged() }, B: { name: 'invoice.paid', ...tagged() } }),
      { code: 'duplicate_event_type', field: 'components.messages.B' },
    ],
    [
      'no category',
      { $defs: { 'invoice.paid': {} } },
      { code: 'missing_category', field: '$defs.invoice.paid' },
    ],
    [
      'a category that is none',
      { $defs: { 'invoice.paid': { 'x-category': 'money' } } },
      { code: 'invalid_request', field: '$defs.invoice.paid.x-category' },
    ],
    [
      'no JSON Schema',
      { $defs: { 'invoice.paid': { ...paid, type: 'money' } } },
      { code: 'invalid_schema', field: '$defs.invoice.paid.schema' },
    ],
    [
      'a reference out of the document',
      { $defs: { 'invoice.paid': { ...paid, $ref: 'https://example.com/schema', type: 'object' } } },
      { code: 'invalid_schema', field: '$defs.invoice.paid.schema' },
    ],
    [
      'a message elsewhere',
      third({ Paid: { $ref: 'https://example.com/message' } }),
      { code: 'invalid_reference', field: 'components.messages.Paid' },
    ],
    [
      'a reference to nothing',
      { $defs: { 'invoice.paid': { ...paid, properties: { a: { $ref: '#/$defs/none' } } } } },
      { code: 'invalid_reference', field: '$defs.invoice.paid' },
    ],
    [
      'a circle',
      third({ A: { $ref: '#/components/messages/B' }, B: { $ref: '#/components/messages/A' } }),
      { code: 'invalid_reference', field: 'components.messages.A' },
    ],
    [
      'another language of schemas',
      third({
        Paid: {
          name: 'invoice.paid',
          ...tagged(),
          payload: { schemaFormat: 'application/vnd.apache.avro', schema: {} },
        },
      }),
      { code: 'unsupported_schema_format', field: 'components.messages.Paid' },
    ],
    [
      'an example that breaks its schema',
      { $defs: { 'invoice.paid': { ...paid, examples: [{ a: 1 }], properties: { a: { type: 'string' } } } } },
      { code: 'example_breaks_schema', field: '$defs.invoice.paid.example' },
    ],
    [
      'an unknown replacement',
      { $defs: { 'invoice.paid': { ...paid, 'x-deprecated': { replacedBy: 'invoice.none' } } } },
      { code: 'unknown_event_type', field: '$defs.invoice.paid.x-deprecated.replacedBy' },
    ],
    ['more than there can be', { $defs: many }, { status: 409, code: 'too_many_event_types' }],
    [
      'one that is too large',
      { $defs: { 'invoice.paid': large(65_536) } },
      { status: 413, code: 'event_type_too_large', field: '$defs.invoice.paid' },
    ],
  ])('refuses %s, and all that comes with it', async (_what, document, { status = 400, ...expected }) => {
    const service = aService();
    const whole =
      typeof document === 'object' && document !== null && '$defs' in document
        ? { $defs: { 'invoice.first': paid, ...z.record(z.string(), z.unknown()).parse(document.$defs) } }
        : document;
    const answer = await send(service, whole);
    expect(JSON.parse(answer.body)).toMatchObject({ status, ...expected });
    expect(await service.eventTypes.list()).toEqual([]);
  });

  it('refuses a chain of thousands of references: it was an error of ours', async () => {
    const parts = Array.from({ length: 8_000 }, (_, n): [string, object] => [
      `P${String(n)}`,
      { $ref: `#/$defs/P${String(n + 1)}` },
    ]);
    const first = { ...paid, properties: { a: { $ref: '#/$defs/P0' } } };
    const $defs = { 'invoice.paid': first, ...Object.fromEntries(parts), P8000: { type: 'string' } };
    const answer = await send(aService(), { $defs });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: 'event_type_too_large' });
  });

  it('counts types before it judges them: thousands took a function’s whole time', async () => {
    const broken = { ...paid, 'x-category': 'none' };
    const types = Array.from({ length: 501 }, (_, n): [string, object] => [`invoice.n${String(n)}`, broken]);
    const answer = await send(aService(), { $defs: Object.fromEntries(types) });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 409, code: 'too_many_event_types' });
  });

  it('refuses types that bring more copies of what they refer to than any catalogue could hold', async () => {
    const shared = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${String(n)}`, true]));
    const types = Array.from({ length: 2_000 }, (_, n): [string, object] => [
      `invoice.n${String(n)}`,
      { $ref: '#/$defs/Shared' },
    ]);
    const answer = await send(aService(), {
      $defs: { Shared: { properties: shared }, ...Object.fromEntries(types) },
    });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: 'document_too_large' });
  });

  it('refuses more bytes than one answer can show, over several imports, too', async () => {
    const service = aService();
    const answers = [];
    for (let part = 0; part < 3; part += 1) {
      const $defs = Object.fromEntries(
        Array.from({ length: 14 }, (_, index) => [
          `invoice.p${String(part)}.n${String(index)}`,
          large(60_000),
        ]),
      );
      answers.push(await send(service, { $defs }));
    }
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 409]);
    expect(JSON.parse(answers[2]?.body ?? '')).toMatchObject({ code: 'catalogue_too_large' });
    expect(await service.eventTypes.list()).toHaveLength(28);
  });
});

function tagged() {
  return { tags: [{ name: 'governance' }] };
}

function third(messages: object): object {
  return { asyncapi: '3.0.0', info: { title: 'Shop', version: '1' }, components: { messages } };
}

function send(service: Service, body: unknown, query: Readonly<Record<string, string>> = {}) {
  return service.ask({ method: 'POST', path, body, query, claims: operator });
}

function outcomesOf(body: string): unknown {
  return z.object({ eventTypes: z.array(z.unknown()) }).parse(JSON.parse(body)).eventTypes;
}
