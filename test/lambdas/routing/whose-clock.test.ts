import { describe, expect, test } from 'vitest';
import { lackOf } from '../../../lambdas/recovery/candidates.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { timeOfUlid } from '../../../lambdas/shared/ulid.ts';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aRouting } from './a-routing.ts';
import type { Routing } from './a-routing.ts';

const dayMs = 86_400_000;

/** A producer has set its own `Time`. */
const aTimed = (time: string, detail: object = {}) => ({ ...aBusEvent({ detail: { ...detail } }), time });

async function publish(event: unknown, routing = aRouting({ endpoints: [anEndpoint()] })): Promise<Routing> {
  await routing.publish(event);
  await routing.settle();
  return routing;
}

/** The time by which an event is listed, found and recovered. */
const listedAt = (id: string) => timeOfUlid(id.slice('evt_'.length));

describe('what a producer’s clock says', () => {
  test.each(['1960-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '+010889-08-02T05:31:51Z', 'yesterday'])(
    'as Time, %s, ends in a refusal that says so, where the organization finds it among today’s',
    async (time) => {
      const routing = await publish(aTimed(time));
      const event = await routing.onlyStored();
      expect(event).toMatchObject({
        status: 'refused',
        reason: 'invalid_time',
        timestamp: isoTime(testStartMs),
      });
      expect(event.explanation).toContain('Time');
      expect(listedAt(event.id)).toBe(testStartMs);
      expect(routing.dead()).toEqual([]);
    },
  );

  test.each(['1960-01-01T00:00:00Z', '2099-01-01T00:00:00Z'])(
    'as Time, %s, harms nothing when the event says itself when it happened',
    async (time) => {
      const occurredAt = isoTime(testStartMs - dayMs);
      const event = await (await publish(aTimed(time, { occurredAt }))).onlyStored();
      expect(event).toMatchObject({
        ...{ status: 'accepted', timestamp: occurredAt, receivedAt: isoTime(testStartMs) },
        expiresAt: testStartMs / 1000 + 30 * 86_400,
      });
    },
  );

  test('is never taken for the time when the event came in: lost a moment later, it counts as missing soon', async () => {
    const ahead = isoTime(testStartMs + dayMs);
    const event = await (await publish(aTimed(ahead))).onlyStored();
    expect(event).toMatchObject({ timestamp: ahead, receivedAt: isoTime(testStartMs) });
    const candidate = {
      ids: {} as never,
      delivery: undefined,
      skipReason: undefined,
      receivedAt: event.receivedAt,
    };
    expect(lackOf(candidate, { createdAt: isoTime(testStartMs + 2 * 3_600_000) })).toBe('missing');
  });

  test('cannot lift the bound of occurredAt: a day ahead of the queue’s clock', async () => {
    const occurredAt = '2099-01-01T00:00:00Z';
    const event = await (await publish(aTimed(occurredAt, { occurredAt }))).onlyStored();
    expect(event).toMatchObject({ status: 'refused', reason: 'invalid_time' });
  });

  test('makes one event of the copies that EventBridge brings, however late', async () => {
    const routing = await publish(aBusEvent());
    routing.clock.pass(3_600_000);
    await publish(aBusEvent(), routing);
    expect((await routing.onlyStored()).receivedAt).toBe(isoTime(testStartMs));
  });
});

test('an event that waited in the dead-letter queue came in when it was redriven', async () => {
  const routing = aRouting();
  const { lookUpSubscribers } = routing.ports;
  routing.ports.lookUpSubscribers = () => Promise.resolve({ organization: undefined, endpoints: [] });
  await publish(aBusEvent(), routing);
  routing.clock.pass(dayMs);
  const redrivenAt = routing.clock.iso();
  routing.ports.lookUpSubscribers = lookUpSubscribers;
  routing.redrive();
  await routing.settle();
  expect(await routing.onlyStored()).toMatchObject({
    timestamp: isoTime(testStartMs),
    receivedAt: redrivenAt,
  });
});
