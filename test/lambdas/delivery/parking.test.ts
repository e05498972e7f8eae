import { describe, expect, test } from 'vitest';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { aScene } from './a-scene.ts';
import { allDelivered, attemptsOf, many, pause, rowsOf, work } from './crowd.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('while an endpoint is paused', () => {
  test('its deliveries wait without an attempt as rows, none of them with a message, and come back after it', async () => {
    const scene = await aScene();
    const untilMs = await pause(scene, 10 * minuteMs);
    await many(scene, 20);
    await work(scene, untilMs - 1);
    expect(scene.receiver.requests).toEqual([]);
    expect(await rowsOf(scene)).toHaveLength(20);
    expect(scene.queue.size()).toBe(0);
    await work(scene, untilMs + minuteMs);
    expect(await attemptsOf(scene, 20)).toEqual(allDelivered(20));
    expect(scene.receiver.requests[0]?.atMs).toBeGreaterThanOrEqual(untilMs);
    expect(await rowsOf(scene)).toEqual([]);
  });

  test('nothing is read of an event that waits for it, and that somebody must come is written once', async () => {
    const scene = await aScene();
    await pause(scene, 10 * minuteMs);
    await many(scene, 3);
    for (const record of scene.queue.receive()) await scene.invoke([record]);
    const ports = scene.calls.map(({ port }) => port);
    expect(new Set(ports)).toEqual(
      new Set(['readRecipient', 'readHealth', 'rewrite', 'replaceHealth', 'startDrain']),
    );
    expect(ports.filter((port) => port === 'rewrite')).toHaveLength(3);
    expect(ports.filter((port) => port === 'replaceHealth')).toHaveLength(1);
  });

  test('a retry by hand and a redriven dead letter wait, too, and are made then', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.receiver.answers(500, 200);
    await many(scene, 1);
    await work(scene);
    scene.clock.pass(hourMs);
    const untilMs = await pause(scene, 20 * minuteMs);
    scene.falling.redrive();
    await work(scene);
    expect(await attemptsOf(scene, 1)).toEqual([['delivered', 2]]);
    expect(scene.receiver.requests[1]?.atMs).toBeGreaterThanOrEqual(untilMs);
    const againMs = await pause(scene, 20 * minuteMs);
    scene.receiver.always(200);
    const byHand = { round: 3, attempt: 3, trigger: 'manual' as const, eventId: eventIdOf('event-0') };
    await scene.sendMessage(aMessage(byHand));
    await work(scene);
    expect(await attemptsOf(scene, 1)).toEqual([['delivered', 3]]);
    expect(scene.receiver.requests[2]?.atMs).toBeGreaterThanOrEqual(againMs);
  });

  test.each([
    ['endpoint_disabled', anEndpoint({ active: false }), anOrganization()],
    ['not_entitled', anEndpoint(), anOrganization({ plan: 'free' })],
  ])('%s: what nobody may have ends at once', async (reason, endpoint, organization) => {
    const scene = await aScene();
    await pause(scene, 10 * minuteMs);
    scene.configuration.set(endpoint);
    scene.configuration.setOrganization(organization);
    await scene.start();
    await scene.step();
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason, attemptCount: 0 });
  });
});
