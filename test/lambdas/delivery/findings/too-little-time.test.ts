import { expect, test } from 'vitest';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { aScene, settle } from '../a-scene.ts';
import { endpointId, pausedUntil, set } from '../crowd.ts';

// Seen: nothing sent, a receive burnt each time, and after five of them a letter without a mark.
test('a delivery whose reads took 11 s of a function, with a timeout of 30 s, is put off and loses no receive', async () => {
  const scene = await aScene({
    endpoint: anEndpoint({ policy: { timeoutSeconds: 30 } }),
    remainingMs: 60_000 - 11_000,
  });
  await scene.start();
  const receives: (string | undefined)[] = [];
  for (let time = 0; time < 60; time += 1) {
    scene.clock.passTo(scene.queue.nextAtMs() ?? 0);
    const records = scene.queue.receive();
    receives.push(...records.map(({ attributes }) => attributes.ApproximateReceiveCount));
    await scene.invoke(records);
    expect(scene.queue.size()).toBe(1);
  }
  expect(new Set(receives)).toEqual(new Set(['1']));
  expect(scene.receiver.requests).toEqual([]);
  scene.settings.remainingMs = 60_000;
  await settle(scene);
  expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
});

test('who has too little time for a probe leaves the lease to others', async () => {
  const scene = await aScene({ remainingMs: 1_000 });
  await set(scene, pausedUntil(testStartMs));
  const before = await scene.health.readLatest(endpointId);
  await scene.start();
  await scene.step();
  expect(await scene.health.readLatest(endpointId)).toEqual(before);
});

test('whose time is lost on the way to the attempt makes none, and leaves its place', async () => {
  const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond: 100 } }) });
  scene.settings.fateOf = ({ port }) => {
    if (port === 'take') scene.settings.remainingMs = 10_000;
    return undefined;
  };
  for (let time = 0; time < 5; time += 1) {
    scene.settings.remainingMs = 60_000;
    if (time === 0) await scene.start();
    await scene.step();
  }
  expect(scene.receiver.requests).toEqual([]);
  scene.settings.fateOf = () => undefined;
  scene.settings.remainingMs = 60_000;
  await settle(scene);
  expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
});
