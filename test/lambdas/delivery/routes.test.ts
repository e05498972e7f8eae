import { describe, expect, test } from 'vitest';
import { deliveryRoutes, report } from '../../../lambdas/delivery/routes.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { aClock } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { memoryLedger } from '../../fakes/ledger.ts';

/** The routes between fakes, and the messages that they send. */
async function aService({ endpoint = anEndpoint(), event = anEvent(), health = well } = {}) {
  const ledger = memoryLedger(aClock().now);
  const configuration = memoryConfiguration();
  const sent: DeliveryMessage[] = [];
  configuration.set(endpoint);
  await ledger.events.add(event);
  const routes = deliveryRoutes({
    getEndpoint: configuration.endpoints.get,
    readHealth: () => Promise.resolve(health),
    getEvent: ledger.events.get,
    deliveries: ledger.deliveries,
    send: (message) => {
      sent.push(message);
      return Promise.resolve();
    },
  });
  const params = { organizationId: 'org_1', endpointId: endpoint.id, eventId: event.id };
  const call = async (
    operationId: string,
    { only = params, query = {} }: { only?: object; query?: object } = {},
  ) => {
    const route = routes.find((one) => one.operationId === operationId);
    if (route === undefined) throw new Error(`there is no operation ${operationId}`);
    const caller = { subject: 'somebody', organizationId: 'org_1', scopes: new Set<string>() };
    return route.run({ params: only, query, body: undefined, caller });
  };
  return { ledger, configuration, sent, params, call };
}

describe('an event’s report', () => {
  const ids = ['queued', 'delivered', 'retrying', 'dead', 'discarded'].map(endpointIdOf);

  test('says of every endpoint that wanted it what has become of it', () => {
    const [, delivered, retrying, dead, discarded] = ids;
    const made = [
      aDelivered({ endpointId: delivered ?? '' }),
      aDelivery({ endpointId: retrying ?? '' }),
      aDead({ endpointId: dead ?? '' }),
      aDiscarded({ endpointId: discarded ?? '' }),
    ];
    const skipped = [{ endpointId: endpointIdOf('skipped'), reason: 'endpoint_disabled' as const }];
    const told = report(anEvent({ endpoints: ids, skipped }), made);
    expect(told.deliveries.map(({ status, reason }) => [status, reason])).toEqual([
      ['queued', undefined],
      ['delivered', undefined],
      ['retrying', undefined],
      ['dead', undefined],
      ['discarded', 'endpoint_disabled'],
    ]);
    expect(told.skipped).toEqual(skipped);
    expect(told.deliveries[3]).toMatchObject({ attemptCount: 1, lastError: 'http_500' });
  });

  test('counts an endpoint that was skipped, and served by hand later, among the deliveries', () => {
    const endpointId = endpointIdOf('later');
    const event = anEvent({ endpoints: [], skipped: [{ endpointId, reason: 'not_entitled' }] });
    const told = report(event, [aDelivered({ endpointId, round: 2 })]);
    expect(told).toMatchObject({ deliveries: [{ endpointId, status: 'delivered' }], skipped: [] });
  });

  test('shows nothing of the payload', () => {
    expect(report(anEvent(), [])).not.toHaveProperty('body');
  });
});

describe('a retry by hand', () => {
  test('asks for the next round with a fresh budget, counting on', async () => {
    const { ledger, call, sent } = await aService();
    await ledger.record(aDelivered());
    expect((await call('retryDelivery')).status).toBe(202);
    expect(sent).toMatchObject([
      { round: 2, attempt: 2, trigger: 'manual', eventType: 'pipeline.run.failed' },
    ]);
  });

  test('serves an endpoint that was skipped, now that it is active', async () => {
    const skipped = [{ endpointId: endpointIdOf('one'), reason: 'endpoint_disabled' as const }];
    const { call, sent } = await aService({ event: anEvent({ endpoints: [], skipped }) });
    await call('retryDelivery');
    expect(sent).toHaveLength(1);
  });

  test('is refused while the endpoint is disabled', async () => {
    const { call, sent } = await aService({ endpoint: anEndpoint({ active: false }) });
    await expect(call('retryDelivery')).rejects.toMatchObject({ status: 409, code: 'endpoint_disabled' });
    expect(sent).toEqual([]);
  });

  test.each(['gone', 'failing'] as const)(
    'is refused while we have switched the endpoint off: %s',
    async (reason) => {
      const health = { ...well, off: { at: '2026-11-22T00:00:00.000Z', reason } };
      const { call, sent } = await aService({ health });
      await expect(call('retryDelivery')).rejects.toMatchObject({ status: 409, code: 'endpoint_disabled' });
      expect(sent).toEqual([]);
    },
  );

  test('is taken while the endpoint is failing or paused: it waits its turn', async () => {
    const at = '2026-11-22T00:00:00.000Z';
    const pause = { since: at, until: '2026-12-24T00:00:00.000Z', seconds: 60, cause: 'failures' as const };
    const { call, sent } = await aService({ health: { ...well, failingSince: at, pause } });
    expect((await call('retryDelivery')).status).toBe(202);
    expect(sent).toHaveLength(1);
  });

  test('of an event that the endpoint did not want is not found', async () => {
    const { call, sent } = await aService({ event: anEvent({ endpoints: [endpointIdOf('another')] }) });
    await expect(call('retryDelivery')).rejects.toMatchObject({ status: 404 });
    expect(sent).toEqual([]);
  });

  test.each([
    ['another organization’s endpoint', { endpointId: endpointIdOf('theirs') }],
    ['an unknown event', { eventId: anEvent({ name: 'unknown' }).id }],
    ['an organization that has neither', { organizationId: 'org_2' }],
  ])('of %s is not found', async (_, other) => {
    const { call, params, sent, configuration } = await aService();
    configuration.set(anEndpoint({ name: 'theirs', organizationId: 'org_2' }));
    const asking = call('retryDelivery', { only: { ...params, ...other } });
    await expect(asking).rejects.toMatchObject({ status: 404, code: 'not_found' });
    expect(sent).toEqual([]);
  });
});

describe('what is shown', () => {
  test('a delivery with its attempts, without what is ours alone', async () => {
    const { ledger, call } = await aService();
    await ledger.record(aDelivery());
    const { expiresAt, roundStart, owes, ...shown } = aDelivery();
    expect((await call('getDelivery')).body).toEqual(shown);
  });

  test('an endpoint’s deliveries, filtered by status', async () => {
    const { ledger, call, params } = await aService();
    await ledger.record(aDead());
    const only = { organizationId: params.organizationId, endpointId: params.endpointId };
    const list = async (status: string) => (await call('listDeliveries', { only, query: { status } })).body;
    expect(await list('dead')).toMatchObject({ data: [{ status: 'dead' }], nextCursor: null });
    expect(await list('delivered')).toEqual({ data: [], nextCursor: null });
    await expect(list('lost')).rejects.toMatchObject({ status: 400 });
  });

  test('the dead letters of an organization, without their attempts', async () => {
    const { ledger, call } = await aService();
    await ledger.record(aDead());
    const { body } = await call('listDeadLetters', { only: { organizationId: 'org_1' } });
    expect(body).toMatchObject({ data: [{ status: 'dead', lastError: 'http_500' }] });
    expect(JSON.stringify(body)).not.toContain('attempts"');
  });

  test('an event that has just been routed: queued for everyone', async () => {
    const { call, params } = await aService();
    const only = { organizationId: params.organizationId, eventId: params.eventId };
    const { body } = await call('getEvent', { only });
    expect(body).toMatchObject({ deliveries: [{ endpointId: params.endpointId, status: 'queued' }] });
  });

  test('no delivery where there is none', async () => {
    const { call } = await aService();
    await expect(call('getDelivery')).rejects.toMatchObject({ status: 404 });
  });
});
