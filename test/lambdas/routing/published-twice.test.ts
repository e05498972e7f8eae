import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aRouting, bodyOf } from './a-routing.ts';

const dayMs = 86_400_000;
const one = endpointIdOf('one');

describe('an event that comes twice', () => {
  test('within a minute has the same id, is stored once and sent once: a receiver got it twice', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    await routing.publish(aBusEvent());
    await routing.publish(aBusEvent());
    await routing.settle();
    routing.clock.pass(59_000);
    await routing.publish(aBusEvent());
    await routing.settle();
    const { id } = await routing.onlyStored();
    expect(routing.sent().map(({ eventId }) => eventId)).toEqual([id]);
    const duplicates = routing.journal.lines.map(({ fields }) => fields['isDuplicate']);
    expect(duplicates).toHaveLength(3);
    expect(duplicates.filter(Boolean)).toHaveLength(2);
  });

  test('is sent when the message that stored it comes again, if its function died before: no copy answers for it', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const { send } = routing.ports;
    routing.ports.send = () => Promise.reject(new Error('died'));
    await routing.publish(aBusEvent());
    await routing.step();
    routing.ports.send = send;
    await routing.publish(aBusEvent());
    await routing.step();
    expect(routing.sent()).toEqual([]);
    await routing.settle();
    expect(routing.sent()).toHaveLength(1);
  });

  test('is sent by what was redriven, if the message that stored it fell into the dead-letter queue', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const { send } = routing.ports;
    routing.ports.send = () => Promise.reject(new Error('away'));
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(routing.dead()).toHaveLength(1);
    routing.ports.send = send;
    routing.redrive();
    await routing.settle();
    expect(routing.sent()).toHaveLength(1);
  });

  test('goes to those for whom it was stored first, whatever has changed since', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    await routing.publish(aBusEvent());
    await routing.settle();
    routing.configuration.set(anEndpoint({ eventTypes: [] }));
    routing.configuration.set(anEndpoint({ name: 'two' }));
    routing.clock.pass(60_000);
    await routing.publish(aBusEvent());
    await routing.settle();
    expect(routing.sent().map(({ endpointId }) => endpointId)).toEqual([one, one]);
    expect((await routing.onlyStored()).endpoints).toEqual([one]);
  });

  test('the second time after its retention, is routed anew: it was swallowed until DynamoDB had deleted the first', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const same = { idempotencyKey: 'run-77-failed', occurredAt: isoTime(testStartMs - dayMs) };
    await routing.publish(aBusEvent({ detail: same }));
    await routing.settle();
    routing.clock.pass(30 * dayMs + 1_000);
    routing.configuration.set(anEndpoint({ name: 'two' }));
    await routing.publish(aBusEvent({ timeMs: routing.clock.now(), detail: same }));
    await routing.settle();
    expect((await routing.onlyStored()).endpoints).toHaveLength(2);
    expect(routing.sent()).toHaveLength(3);
  });

  test('is one by the producer’s key, though EventBridge gave two ids', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    const same = { idempotencyKey: 'run-77-failed', occurredAt: isoTime(testStartMs - dayMs) };
    await routing.publish(aBusEvent({ id: 'bus-1', detail: { ...same, data: { first: true } } }));
    await routing.publish(
      aBusEvent({ id: 'bus-2', timeMs: testStartMs + 9_000, detail: { ...same, data: { first: true } } }),
    );
    await routing.settle();
    const event = await routing.onlyStored();
    expect(JSON.parse(bodyOf(event))).toMatchObject({ data: { first: true } });
    expect(new Set(routing.sent().map(({ eventId }) => eventId))).toEqual(new Set([event.id]));
  });

  test('is two when the keys differ, or the time when it happened', async () => {
    const routing = aRouting();
    const at = isoTime(testStartMs);
    const earlier = isoTime(testStartMs - 1);
    await routing.publish(aBusEvent({ detail: { idempotencyKey: 'a', occurredAt: at } }));
    await routing.publish(aBusEvent({ detail: { idempotencyKey: 'b', occurredAt: at } }));
    await routing.publish(aBusEvent({ detail: { idempotencyKey: 'a', occurredAt: earlier } }));
    await routing.settle();
    expect(await routing.stored()).toHaveLength(3);
  });

  test('is two when the same key comes from two organizations', async () => {
    const routing = aRouting();
    routing.configuration.setOrganization(anOrganization({ id: 'org_2' }));
    const same = { idempotencyKey: 'a', occurredAt: isoTime(testStartMs) };
    await routing.publish(aBusEvent({ detail: same }));
    await routing.publish(aBusEvent({ detail: { ...same, organizationId: 'org_2' } }));
    await routing.settle();
    const [ours, theirs] = [await routing.stored(), await routing.stored('org_2')];
    expect(ours).toHaveLength(1);
    expect(theirs).toHaveLength(1);
    expect(ours[0]?.id).not.toBe(theirs[0]?.id);
  });
});
