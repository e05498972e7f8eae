import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { resumed, well } from '../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aRouting, bodyOf } from './a-routing.ts';

const one = endpointIdOf('one');

describe('an event', () => {
  test('is stored with those it is meant for, and asks for one delivery each', async () => {
    const routing = aRouting({ endpoints: [anEndpoint(), anEndpoint({ name: 'two' })] });
    await routing.publish(aBusEvent());
    await routing.settle();
    const event = await routing.onlyStored();
    expect(event).toMatchObject({
      organizationId: 'org_1',
      type: 'pipeline.run.failed',
      category: 'pipeline_execution',
      source: 'acme.pipelines',
      resource: 'pipeline/42',
      timestamp: isoTime(testStartMs),
      receivedAt: isoTime(testStartMs),
      status: 'accepted',
      skipped: [],
    });
    expect(event.endpoints.toSorted()).toEqual([one, endpointIdOf('two')].toSorted());
    const ids = { organizationId: 'org_1', eventId: event.id, eventType: event.type };
    const first = { v: 1, configuration: 0, ...ids, attempt: 1, round: 1, trigger: 'scheduled' };
    expect(routing.sent()).toEqual(event.endpoints.map((endpointId) => ({ ...first, endpointId })));
    expect(routing.deliveries.sent.map(({ groupId }) => groupId)).toEqual(event.endpoints);
  });

  test('is stored before anything is sent', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const order: string[] = [];
    const { add, send } = routing.ports;
    routing.ports.add = async (event) => {
      const before = await add(event);
      order.push('stored');
      return before;
    };
    routing.ports.send = async (message) => {
      order.push('sent');
      await send(message);
    };
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(order).toEqual(['stored', 'sent']);
  });

  test('has the body that the design promises, and nothing that it does not have', async () => {
    const routing = aRouting();
    await routing.publish(aBusEvent({ detail: { resource: undefined, data: { runId: 77 } } }));
    await routing.settle();
    const event = await routing.onlyStored();
    expect(JSON.parse(bodyOf(event))).toEqual({
      id: event.id,
      type: 'pipeline.run.failed',
      timestamp: isoTime(testStartMs),
      organizationId: 'org_1',
      data: { runId: 77 },
    });
  });

  test('carries numbers that a double cannot hold, unchanged to the digit', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const numbers = '"big":12345678901234567890,"precise":0.1234567890123456789,"list":[9007199254740993]';
    const text = JSON.stringify(aBusEvent({ detail: { data: 'here' } }));
    await routing.publishText(text.replace('"here"', `{${numbers}}`));
    await routing.settle();
    expect(bodyOf(await routing.onlyStored())).toContain(`"data":{${numbers}}`);
    expect(routing.sent()).toHaveLength(1);
  });

  test.each([
    '{"id":9223372036854775807}',
    '{"v":1e400,"w":-1e309,"x":1.0,"y":-0,"z":100.50}',
    '{"z":1,"10":3,"2":4}',
    '{"a":1,"a":2}',
    '{"__proto__":{"a":1},"a":"\\u00fc\\/"}',
    '{ "spaced" : [ 1 ,\n2 ] }',
  ])('carries its data as they were written, byte for byte: %s', async (data) => {
    const routing = aRouting();
    const text = JSON.stringify(aBusEvent({ detail: { data: 'here' } }));
    await routing.publishText(text.replace('"here"', data));
    await routing.settle();
    expect(bodyOf(await routing.onlyStored())).toMatch(/^\{"id":/);
    expect(bodyOf(await routing.onlyStored()).endsWith(`,"data":${data}}`)).toBe(true);
  });

  test.each([
    ['text of all kinds', { text: 'Grüße, 世界 🎉 \u2028 "quoted" \\ </script>' }],
    ['nothing', {}],
    ['deep', { a: [{ b: [null, true, { c: '' }] }] }],
    ['names that mean something in JavaScript', { constructor: 1, toString: 2, length: 3, then: 4 }],
  ])('carries its data unchanged: %s', async (_, data) => {
    const routing = aRouting();
    await routing.publish(aBusEvent({ detail: { data } }));
    await routing.settle();
    expect(JSON.parse(bodyOf(await routing.onlyStored()))).toMatchObject({ data });
  });

  test('is taken whole when it is just below 256 KB', async () => {
    const routing = aRouting();
    const data = { text: '€'.repeat(87_000) };
    await routing.publish(aBusEvent({ detail: { data } }));
    await routing.settle();
    const event = await routing.onlyStored();
    expect(event.status).toBe('accepted');
    expect(JSON.parse(bodyOf(event))).toMatchObject({ data });
  });

  test('that happened earlier than it was published has the time when it happened', async () => {
    const routing = aRouting();
    await routing.publish(aBusEvent({ detail: { occurredAt: '2026-11-22T12:00:00+02:00' } }));
    await routing.settle();
    const event = await routing.onlyStored();
    expect(event).toMatchObject({ timestamp: '2026-11-22T10:00:00.000Z', receivedAt: isoTime(testStartMs) });
    expect(JSON.parse(bodyOf(event))).toMatchObject({ timestamp: '2026-11-22T10:00:00.000Z' });
  });

  test('is told of in one line, and its payload in none', async () => {
    const routing = aRouting({ endpoints: [anEndpoint(), anEndpoint({ name: 'two', active: false })] });
    await routing.publish(aBusEvent({ detail: { data: { card: 'PLANTED-4111' } } }));
    await routing.settle();
    const [line, ...others] = routing.journal.lines;
    expect(others).toEqual([]);
    expect(line).toMatchObject({ message: 'event.routed', fields: { endpoints: 1, skipped: 1 } });
    expect(JSON.stringify([line, routing.deliveries.sent])).not.toContain('PLANTED');
  });
});

describe('who gets an event', () => {
  const wanting = (given: Partial<Endpoint>) => anEndpoint({ eventTypes: [], ...given });
  const type = 'pipeline.run.failed';

  test.each([
    ['its type', { eventTypes: [type] }, true],
    ['another type', { eventTypes: ['pipeline.run.started'] }, false],
    ['a prefix of it', { eventTypes: ['pipeline.*'] }, true],
    ['a longer prefix of it', { eventTypes: ['pipeline.run.*'] }, true],
    ['another prefix', { eventTypes: ['pipeline.runner.*'] }, false],
    ['everything', { eventTypes: ['*'] }, true],
    ['its category', { categories: ['pipeline_execution' as const] }, true],
    ['another category', { categories: ['governance' as const] }, false],
    ['nothing', {}, false],
    ['its type twice over', { eventTypes: ['*', type], categories: ['pipeline_execution' as const] }, true],
  ])('an endpoint that subscribed to %s: %o, %s', async (_, subscription, isMeant) => {
    const routing = aRouting({ endpoints: [wanting(subscription)] });
    await routing.publish(aBusEvent({ type }));
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ endpoints: isMeant ? [one] : [], skipped: [] });
    expect(routing.sent()).toHaveLength(isMeant ? 1 : 0);
  });

  test('a type that an operator has added goes by its own category', async () => {
    const name = 'acme.thing.done';
    const category = 'governance' as const;
    const eventTypes = [{ name, category, description: 'Done.', isBuiltIn: false }];
    const routing = aRouting({ endpoints: [wanting({ categories: [category] })], eventTypes });
    await routing.publish(aBusEvent({ type: name }));
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ status: 'accepted', category, endpoints: [one] });
  });

  test('a disabled endpoint receives nothing, and the event says why', async () => {
    const routing = aRouting({
      endpoints: [anEndpoint({ active: false }), anEndpoint({ name: 'two' })],
    });
    await routing.publish(aBusEvent());
    await routing.settle();
    const skipped = [{ endpointId: one, reason: 'endpoint_disabled' }];
    expect(await routing.onlyStored()).toMatchObject({ endpoints: [endpointIdOf('two')], skipped });
    expect(routing.sent().map(({ endpointId }) => endpointId)).toEqual([endpointIdOf('two')]);
  });

  test.each([
    ['gone', 'gone'],
    ['failing', 'endpoint_disabled'],
  ] as const)(
    'an endpoint that we switched off as %s receives nothing, and the event says %s',
    async (reason, said) => {
      const routing = aRouting({ endpoints: [anEndpoint(), anEndpoint({ name: 'two' })] });
      const off = { at: routing.clock.iso(), reason };
      await routing.health.replace(one, well, { ...well, off });
      await routing.publish(aBusEvent());
      await routing.settle();
      const skipped = [{ endpointId: one, reason: said }];
      expect(await routing.onlyStored()).toMatchObject({ endpoints: [endpointIdOf('two')], skipped });
      expect(routing.sent().map(({ endpointId }) => endpointId)).toEqual([endpointIdOf('two')]);
    },
  );

  test('an endpoint that is failing or paused is meant for the event all the same', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const at = routing.clock.iso();
    const pause = { since: at, until: at, seconds: 60, cause: 'failures' as const };
    await routing.health.replace(one, well, { ...well, failingSince: at, pause });
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ endpoints: [one], skipped: [] });
    expect(routing.sent()).toHaveLength(1);
  });

  test('an endpoint that a person has switched on again receives what comes from then on', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const off = { at: routing.clock.iso(), reason: 'gone' as const };
    await routing.health.replace(one, well, { ...well, off });
    const before = await routing.health.readLatest(one);
    await routing.health.replace(one, before, resumed(before, routing.clock.now()));
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ endpoints: [one], skipped: [] });
  });

  test('an event waits while it cannot be known how an endpoint does', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const { readHealth } = routing.ports;
    routing.ports.readHealth = () => Promise.reject(new Error('the table is away'));
    await routing.publish(aBusEvent());
    await routing.step();
    expect(await routing.stored()).toEqual([]);
    expect(routing.sent()).toEqual([]);
    routing.ports.readHealth = readHealth;
    await routing.settle();
    expect(routing.sent()).toHaveLength(1);
  });

  test('a disabled endpoint that did not want the event is not among the skipped', async () => {
    const routing = aRouting({ endpoints: [wanting({ active: false })] });
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ endpoints: [], skipped: [] });
  });

  test('an organization that is not entitled receives nothing, and the event says why', async () => {
    const endpoints = [anEndpoint(), anEndpoint({ name: 'two', active: false })];
    const routing = aRouting({ organization: anOrganization({ plan: 'free' }), endpoints });
    await routing.publish(aBusEvent());
    await routing.settle();
    const event = await routing.onlyStored();
    expect(event).toMatchObject({ status: 'accepted', endpoints: [] });
    expect(event.skipped.map(({ reason }) => reason)).toEqual(['not_entitled', 'not_entitled']);
    expect(routing.sent()).toEqual([]);
  });

  test('an organization with the add-on receives as one on the enterprise plan', async () => {
    const organization = anOrganization({ plan: 'team', addOns: ['webhooks'] });
    const routing = aRouting({ organization, endpoints: [anEndpoint()] });
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(routing.sent()).toHaveLength(1);
  });

  test('nobody of another organization gets it (I14)', async () => {
    const endpoints = [anEndpoint({ organizationId: 'org_2' })];
    const routing = aRouting({ endpoints });
    routing.configuration.setOrganization(anOrganization({ id: 'org_2' }));
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(routing.sent()).toEqual([]);
    expect(await routing.stored('org_2')).toEqual([]);
  });

  test('a hundred endpoints get one delivery each', async () => {
    const endpoints = Array.from({ length: 100 }, (_, index) => anEndpoint({ name: `many-${index}` }));
    const routing = aRouting({ endpoints });
    await routing.publish(aBusEvent());
    await routing.settle();
    const ids = routing.sent().map(({ endpointId }) => endpointId);
    expect(ids.toSorted()).toEqual(endpoints.map(({ id }) => id).toSorted());
  });
});

describe('a fault of ours', () => {
  /** Makes a port fail so many times. */
  function failing<Args extends unknown[], Value>(port: (...args: Args) => Promise<Value>, times = 1) {
    let left = times;
    return (...args: Args): Promise<Value> =>
      left-- > 0 ? Promise.reject(new Error('throttled')) : port(...args);
  }

  test('between storing and sending is repaired when the message comes back', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    routing.ports.send = failing(routing.ports.send);
    await routing.publish(aBusEvent());
    await routing.step();
    expect(await routing.onlyStored()).toMatchObject({ endpoints: [one] });
    expect(routing.sent()).toEqual([]);
    routing.configuration.set(anEndpoint({ active: false }));
    await routing.settle();
    const { id } = await routing.onlyStored();
    expect(routing.sent()).toMatchObject([{ endpointId: one, eventId: id }]);
  });

  test('that keeps one of many deliveries from being asked for loses none', async () => {
    const endpoints = ['one', 'two', 'three'].map((name) => anEndpoint({ name }));
    const routing = aRouting({ endpoints });
    const { send } = routing.ports;
    let calls = 0;
    routing.ports.send = (message) => (++calls === 2 ? Promise.reject(new Error('refused')) : send(message));
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(new Set(routing.sent().map(({ endpointId }) => endpointId))).toEqual(
      new Set(endpoints.map(({ id }) => id)),
    );
    expect(routing.events.size()).toBe(0);
  });

  test.each(['lookUpSubscribers', 'readCatalogue', 'add'] as const)(
    'in %s, for an hour, drains nothing into the dead-letter queue',
    async (port) => {
      const routing = aRouting({ endpoints: [anEndpoint()] });
      const { lookUpSubscribers, readCatalogue, add } = routing.ports;
      const ports = {
        lookUpSubscribers: failing(lookUpSubscribers, 20),
        readCatalogue: failing(readCatalogue, 20),
        add: failing(add, 20),
      };
      Object.assign(routing.ports, { [port]: ports[port] });
      await routing.publish(aBusEvent());
      await routing.settle();
      expect(routing.clock.now() - testStartMs).toBeGreaterThanOrEqual(3_600_000);
      expect(routing.dead()).toEqual([]);
      expect(routing.sent()).toHaveLength(1);
    },
  );
});
