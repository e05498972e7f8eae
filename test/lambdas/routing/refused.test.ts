import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aRouting, bodyOf } from './a-routing.ts';

const dayMs = 86_400_000;
const one = endpointIdOf('one');

describe('an event that breaks a rule is stored as refused and sent to nobody', () => {
  const at = isoTime(testStartMs);

  test.each([
    ['an unknown type', 'unknown_event_type', { type: 'acme.PLANTED.thing' }],
    ['the type of test events', 'unknown_event_type', { type: 'webhook.test' }],
    ['no data', 'invalid_event', { detail: { data: undefined } }],
    ['data that are a text', 'invalid_event', { detail: { data: 'PLANTED' } }],
    ['data that are a list', 'invalid_event', { detail: { data: ['PLANTED'] } }],
    ['a field that is not known', 'invalid_event', { detail: { PLANTED: 'PLANTED' } }],
    ['a key without a time', 'invalid_event', { detail: { idempotencyKey: 'PLANTED' } }],
    ['an empty key', 'invalid_event', { detail: { idempotencyKey: '', occurredAt: at } }],
    ['a time that is none', 'invalid_event', { detail: { occurredAt: 'PLANTED' } }],
    ['a time before 1970', 'invalid_time', { detail: { occurredAt: '1969-12-31T23:59:59Z' } }],
    ['a time too far ahead', 'invalid_time', { detail: { occurredAt: isoTime(testStartMs + 2 * dayMs) } }],
    ['a resource that is too long', 'invalid_event', { detail: { resource: 'PLANTED'.repeat(100) } }],
    [
      'a detail of more than 256 KB',
      'event_too_large',
      { detail: { data: { a: 'PLANTED'.repeat(40_000) } } },
    ],
  ])('%s: %s', async (_, reason, wish) => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    await routing.publish(aBusEvent(wish));
    await routing.settle();
    const event = await routing.onlyStored();
    expect(event).toMatchObject({ status: 'refused', reason, endpoints: [], skipped: [] });
    expect(event.explanation).toMatch(/^\S.{10,300}$/);
    expect(event.explanation).not.toContain('PLANTED');
    expect(routing.sent()).toEqual([]);
    expect(routing.events.dead).toEqual([]);
    expect(routing.journal.lines).toMatchObject([{ message: 'event.refused', fields: { code: reason } }]);
  });

  test('and its detail is kept as it came, for the producer who asks what it was', async () => {
    const routing = aRouting();
    const sent = aBusEvent({ type: 'acme.unknown', detail: { data: { runId: 77 } } });
    await routing.publish(sent);
    await routing.settle();
    expect(JSON.parse(bodyOf(await routing.onlyStored()))).toEqual(sent.detail);
  });

  test('a refused event that comes twice is stored once', async () => {
    const routing = aRouting();
    await routing.publish(aBusEvent({ type: 'acme.unknown' }));
    await routing.publish(aBusEvent({ type: 'acme.unknown' }));
    await routing.settle();
    expect((await routing.onlyStored()).status).toBe('refused');
  });
});

describe('data that break the schema of their type', () => {
  const schema = { type: 'object', properties: { runId: { type: 'string' } } };
  const type = 'billing.run.paid';
  const eventTypes = [
    { name: type, category: 'governance' as const, description: 'Paid.', schema, isBuiltIn: false },
  ];
  const publish = async (schemas: 'strict' | 'warn', data: object) => {
    const routing = aRouting({ endpoints: [anEndpoint()], eventTypes, schemas });
    await routing.publish(aBusEvent({ type, detail: { data } }));
    await routing.settle();
    return { routing, event: await routing.onlyStored() };
  };

  test('are refused by the strict: kept as refused, with the place and nothing of the data', async () => {
    const { routing, event } = await publish('strict', { runId: 'PLANTED', other: 1 });
    expect(event).toMatchObject({ status: 'accepted' });
    const broken = await publish('strict', { runId: 77, PLANTED: 1 });
    expect(broken.event).toMatchObject({ status: 'refused', reason: 'schema_violation', endpoints: [] });
    expect(broken.event.explanation).toContain('#/properties/runId/type');
    expect(broken.event.explanation).not.toContain('PLANTED');
    expect(broken.routing.sent()).toEqual([]);
    expect(routing.sent()).toHaveLength(1);
  });

  test('are delivered by the others, and the event says so', async () => {
    const { routing, event } = await publish('warn', { runId: 77 });
    expect(event).toMatchObject({ status: 'accepted', endpoints: [one] });
    expect(event.schemaViolation).toContain('#/properties/runId/type');
    expect(routing.sent()).toHaveLength(1);
    expect((await publish('warn', { runId: '77' })).event).not.toHaveProperty('schemaViolation');
  });

  test('that nobody can judge are refused by the strict, and delivered by others, and both say so', async () => {
    // As it may stand in the catalogue since before such were refused.
    const odd = [
      { ...eventTypes[0], name: type, category: 'governance' as const, schema: { $ref: '#' } },
    ].map((one) => ({ description: 'Paid.', isBuiltIn: false, ...one }));
    for (const schemas of ['strict', 'warn'] as const) {
      const routing = aRouting({ endpoints: [anEndpoint()], eventTypes: odd, schemas });
      await routing.publish(aBusEvent({ type, detail: { data: { runId: 'x' } } }));
      await routing.publish(aBusEvent({ id: 'another', type: 'pipeline.run.failed' }));
      await routing.settle();
      const events = await routing.stored();
      const event = events.find((one) => one.type === type);
      expect(event).toMatchObject(
        schemas === 'strict'
          ? { status: 'refused', reason: 'schema_not_judged', endpoints: [] }
          : { status: 'accepted', endpoints: [one] },
      );
      expect(event?.explanation ?? event?.schemaNotJudged).toContain('leads deeper');
      // One bad schema delays nobody: no message was received twice.
      expect(routing.sent()).toHaveLength(schemas === 'strict' ? 1 : 2);
      expect(routing.announced).toEqual([
        expect.objectContaining({ detailType: 'event.not_judged', source: 'tidings' }) as unknown,
      ]);
    }
  });
});
