import { describe, expect, test } from 'vitest';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, settle } from './a-scene.ts';
import { deliveryOf, many, names, pause, set, toldOf, work } from './crowd.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 600 };
const often = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 30 };
const fragile = anEndpoint({ policy: { circuitBreaker: breaker, disableAfterHours: null, retry: often } });

describe('a delivery that is deliberately not made', () => {
  test.each([
    ['endpoint_disabled', anEndpoint({ active: false }), anOrganization()],
    ['not_entitled', anEndpoint(), anOrganization({ plan: 'free' })],
    ['unsubscribed', anEndpoint({ eventTypes: ['security.*'] }), anOrganization()],
  ])(
    '%s: posts nothing, ends discarded with the reason, and keeps its attempts',
    async (reason, endpoint, organization) => {
      const scene = await aScene();
      scene.receiver.answers(500);
      await scene.start();
      await scene.step();
      scene.configuration.set(endpoint);
      scene.configuration.setOrganization(organization);
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({
        status: 'discarded',
        reason,
        attempts: [{ code: 'http_500' }],
      });
      expect(await scene.delivery()).not.toHaveProperty('nextAttemptAt');
      expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
    },
  );

  test('endpoint_deleted: posts nothing', async () => {
    const scene = await aScene();
    await scene.configuration.endpoints.remove('org_1', anEndpoint().id);
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(0);
    expect(await scene.delivery()).toMatchObject({
      status: 'discarded',
      reason: 'endpoint_deleted',
      attemptCount: 0,
    });
  });

  test('expired: an event whose retention has passed is never sent, empty or otherwise', async () => {
    const event = anEvent({ expiresAt: (testStartMs + 30 * minuteMs) / 1000 });
    const scene = await aScene({ event });
    await pause(scene, hourMs);
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toEqual([]);
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason: 'expired', attemptCount: 0 });
  });

  test('stays so when the endpoint is switched on again and an old message comes', async () => {
    const scene = await aScene();
    scene.configuration.set(anEndpoint({ active: false }));
    await scene.start();
    await settle(scene);
    scene.configuration.set(anEndpoint());
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(0);
    expect((await scene.delivery()).status).toBe('discarded');
  });
});

describe('an endpoint that is switched off', () => {
  test('by a 410 receives nothing more: what waits ends as gone, and people are told', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.receiver.answers(410);
    await pause(scene, 0);
    await many(scene, 10);
    await scene.invoke(scene.queue.receive());
    await work(scene);
    await scene.start();
    await work(scene);
    const ends = await Promise.all(
      names(10).map(async (name) => (await deliveryOf(scene, name))?.reason ?? 'dead'),
    );
    expect(ends.toSorted()).toEqual(['dead', ...Array<string>(9).fill('gone')]);
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason: 'gone', attemptCount: 0 });
    expect(scene.receiver.requests).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.disabled')).toEqual([expect.objectContaining({ reason: 'gone' })]);
  });

  test('after nothing but failure receives nothing more: what waits ends as endpoint_disabled', async () => {
    const policy = { circuitBreaker: breaker, disableAfterHours: 2, retry: often };
    const scene = await aScene({ endpoint: anEndpoint({ policy }) });
    scene.receiver.always(500);
    await many(scene, 5);
    await work(scene);
    const ends = await Promise.all(names(5).map(async (name) => (await deliveryOf(scene, name))?.reason));
    expect(ends).toEqual(Array(5).fill('endpoint_disabled'));
    expect(scene.clock.now() - testStartMs).toBeGreaterThanOrEqual(2 * hourMs);
    const told = ['paused', 'failing', 'failing', 'disabled'].map((kind) => `endpoint.${kind}`);
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual(told);
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
  });

  test('also ends what is redriven, with the reason', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.receiver.answers(500);
    await scene.start();
    await settle(scene);
    scene.clock.pass(hourMs);
    await set(scene, { off: { at: scene.clock.iso(), reason: 'gone' } });
    scene.falling.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason: 'gone', round: 2 });
    expect(scene.receiver.requests).toHaveLength(1);
  });
});
