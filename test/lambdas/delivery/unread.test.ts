import { describe, expect, test } from 'vitest';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { aScene } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { allDelivered, attemptsOf, endpointId, many, names, pause, rowsOf, set, work } from './crowd.ts';

const minuteMs = 60_000;
const count = 10;
const backlog = { turn: 1, pass: 1, since: '2026-01-01T00:00:00.000Z', dueAt: '2027-01-01T00:00:00.000Z' };

/** Deliveries that wait as rows, of an endpoint that is no longer paused and may have one attempt in ten seconds. */
async function broughtBack(policy: object = { rateLimitPerSecond: 0.1 }): Promise<Scene> {
  const scene = await aScene({ endpoint: anEndpoint({ policy }), tookMs: 1 });
  await pause(scene, 10 * minuteMs);
  await many(scene, count);
  await work(scene, testStartMs + minuteMs);
  expect(await rowsOf(scene)).toHaveLength(count);
  await set(scene, { backlog });
  scene.calls.length = 0;
  return scene;
}

const sendAll = async ({ sendMessage }: Scene) => {
  for (const name of names(count)) await sendMessage(aMessage({ eventId: eventIdOf(name), pass: 1 }));
};

function callsOf({ calls }: Scene): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { port } of calls) counts[port] = (counts[port] ?? 0) + 1;
  return counts;
}

describe('what was brought back from a row, and is refused', () => {
  test('by the pace, has nothing of the ledger read until it has leave', async () => {
    const scene = await broughtBack();
    await sendAll(scene);
    await scene.invoke(scene.queue.receive(count));
    const { length } = scene.receiver.requests;
    expect(length).toBe(1);
    // Each of the others costs the recipient and the health, which functions remember, and one message.
    expect(callsOf(scene)).toMatchObject({ readKnown: length, record: length, send: count - length });
    expect(callsOf(scene)).not.toHaveProperty('rewrite');
    await work(scene, testStartMs + 20 * minuteMs);
    expect(await attemptsOf(scene, count)).toEqual(allDelivered(count));
    expect(callsOf(scene)).toMatchObject({ readKnown: count, record: count });
  });

  test('by its share of the workers, too', async () => {
    const scene = await broughtBack({});
    for (let place = 0; place < 3; place += 1) {
      await scene.share.enter(endpointId);
      scene.share.markSlow(endpointId);
    }
    await sendAll(scene);
    await scene.invoke(scene.queue.receive(count));
    expect(callsOf(scene)).not.toHaveProperty('readKnown');
    expect(callsOf(scene)).toMatchObject({ send: count });
  });
});

describe('what was brought back from a row, and has leave', () => {
  /** How many more may begin. */
  async function freePlaces({ clock, share }: Scene): Promise<number> {
    // It begins to hang, so it has three places; and when all of them are slow, nobody waits for one any more.
    clock.pass(1_000);
    share.markSlow(endpointId);
    const asked = [1, 2, 3, 4].map(() => share.enter(endpointId));
    share.markSlow(endpointId);
    share.markSlow(endpointId);
    return (await Promise.all(asked)).filter(Boolean).length;
  }

  test('leaves its place when nothing is left to send', async () => {
    const scene = await broughtBack({});
    await scene.sendMessage(aMessage({ eventId: eventIdOf('event-0'), pass: 1 }));
    await scene.sendMessage(aMessage({ eventId: eventIdOf('event-0'), pass: 1 }));
    for (let copy = 0; copy < 2; copy += 1) await scene.invoke(scene.queue.receive(1));
    expect(scene.receiver.requests).toHaveLength(1);
    expect(await freePlaces(scene)).toBe(3);
  });

  test('leaves it when the ledger cannot be read, and comes again', async () => {
    const scene = await broughtBack({});
    scene.settings.fateOf = ({ port }) => (port === 'readKnown' ? 'fault before' : undefined);
    await scene.sendMessage(aMessage({ eventId: eventIdOf('event-0'), pass: 1 }));
    await scene.invoke(scene.queue.receive(1));
    expect(scene.queue.size()).toBe(1);
    expect(await freePlaces(scene)).toBe(3);
  });

  test('leaves it when its time has run out meanwhile', async () => {
    const scene = await broughtBack({});
    await scene.sendMessage(aMessage({ eventId: eventIdOf('event-0'), pass: 1 }));
    scene.settings.fateOf = ({ port }) => {
      if (port === 'readKnown') scene.settings.remainingMs = 1_000;
      return undefined;
    };
    await scene.invoke(scene.queue.receive(1));
    expect(scene.receiver.requests).toEqual([]);
    expect(scene.queue.size()).toBe(1);
    expect(await freePlaces(scene)).toBe(3);
  });
});

test('whoever probes has read what he sends first: a lease for nothing would pause the endpoint', async () => {
  const scene = await broughtBack({});
  await pause(scene, 0);
  const event = await scene.ledger.deliveries.get(endpointId, eventIdOf('event-0'));
  expect(event?.waiting).toBeDefined();
  await scene.sendMessage(aMessage({ eventId: eventIdOf('event-0'), pass: 1 }));
  await scene.invoke(scene.queue.receive(1));
  const order = scene.calls.map(({ port }) => port);
  expect(order.indexOf('readKnown')).toBeLessThan(order.indexOf('replaceHealth'));
  expect(scene.receiver.requests).toHaveLength(1);
});
