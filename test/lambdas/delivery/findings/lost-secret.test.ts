import { describe, expect, test } from 'vitest';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anEvent } from '../../../fakes/an-event.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { aScene, settle } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { allDelivered, attemptsOf, endpointId, many, one, toldOf, work } from '../crowd.ts';
import type { PortName } from '../mortal.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** An endpoint whose secret somebody has deleted, with so many deliveries. */
async function withoutSecret(count: number): Promise<Scene> {
  const scene = await aScene();
  scene.configuration.set(anEndpoint({ secretVersions: [{ id: 'lost', createdAt: scene.clock.iso() }] }));
  await many(scene, count);
  return scene;
}

const callsOf = ({ calls }: Scene, name: PortName) => calls.filter(({ port }) => port === name).length;

// Seen: a message and a read of the ledger each minute, 42,879 of them for each delivery.
describe('a signing secret that is gone for good', () => {
  test('has the endpoint paused for a fault of ours within half an hour, and people told once', async () => {
    const scene = await withoutSecret(1);
    await work(scene, testStartMs + 30 * minuteMs);
    expect(await scene.health.readLatest(endpointId)).toMatchObject({
      pause: { cause: 'own_fault' },
      failures: 0,
    });
    expect(toldOf(scene, 'endpoint.paused')).toEqual([
      expect.objectContaining({ endpointId, organizationId: 'org_1', reason: 'own_fault' }),
    ]);
    await work(scene, testStartMs + dayMs);
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.disabled')).toEqual([]);
  });

  test('is waited for ever longer, up to an hour', async () => {
    const scene = await withoutSecret(1);
    await work(scene, testStartMs + dayMs);
    const { pause } = await scene.health.readLatest(endpointId);
    expect(pause?.seconds).toBe(3_600);
  });

  test('costs few reads a day, and no more messages than that', async () => {
    const scene = await withoutSecret(1);
    await work(scene, testStartMs + dayMs);
    const [reads, sent, secrets] = [
      callsOf(scene, 'readKnown'),
      scene.queue.sent.length,
      callsOf(scene, 'prepare'),
    ];
    await work(scene, testStartMs + 2 * dayMs);
    expect(secrets).toBeLessThanOrEqual(40);
    expect(callsOf(scene, 'readKnown') - reads).toBeLessThanOrEqual(100);
    expect(scene.queue.sent.length - sent).toBeLessThanOrEqual(100);
  });

  test('costs no more for two hundred deliveries than for one, once it is known', async () => {
    const scene = await withoutSecret(200);
    await work(scene, testStartMs + dayMs);
    const reads = callsOf(scene, 'readKnown');
    await work(scene, testStartMs + 2 * dayMs);
    expect(callsOf(scene, 'readKnown') - reads).toBeLessThanOrEqual(300);
  });

  test('posts nothing, spends no attempt, and everything is delivered when it is there again', async () => {
    const scene = await withoutSecret(20);
    await work(scene, testStartMs + 2 * dayMs);
    expect(scene.receiver.requests).toEqual([]);
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
    scene.configuration.set(anEndpoint());
    await settle(scene);
    expect(await attemptsOf(scene, 20)).toEqual(allDelivered(20));
    expect(toldOf(scene, 'endpoint.resumed')).toHaveLength(1);
    expect(scene.clock.now() - testStartMs - 2 * dayMs).toBeLessThanOrEqual(70 * minuteMs);
  });

  test('that comes back within minutes pauses nobody', async () => {
    const scene = await withoutSecret(1);
    await work(scene, testStartMs + 6 * minuteMs);
    scene.configuration.set(anEndpoint());
    await settle(scene);
    expect(await attemptsOf(scene, 1)).toEqual(allDelivered(1));
    expect(scene.announced).toEqual([]);
  });
});

test('a stored body that was damaged is never sent, and its endpoint is not paused for it', async () => {
  const event = anEvent();
  if (event.body !== undefined) event.body.sha256 = 'another';
  const scene = await aScene({ event });
  await scene.start();
  await work(scene, testStartMs + dayMs);
  expect(scene.receiver.requests).toEqual([]);
  expect((await scene.health.readLatest(endpointId)).pause).toBeUndefined();
  await one(scene, 'event-0');
  await work(scene, testStartMs + dayMs + minuteMs);
  expect(await attemptsOf(scene, 1)).toEqual(allDelivered(1));
});
