import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../../lambdas/delivery/message.ts';
import { newJobId } from '../../../../lambdas/shared/identifier.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anEvent } from '../../../fakes/an-event.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { aJob } from '../../../fakes/jobs.ts';
import { aScene } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { allDelivered, attemptsOf, many, pause, rowsOf, work } from '../crowd.ts';
import { recoverIn } from '../recover-in.ts';

const hourMs = 3_600_000;
/** The scene's own event, which is for nobody where it is never routed. */
const forNobody = anEvent({ endpoints: [] });

/** Recovers what the endpoint misses, as somebody who clicks does; gives what the job has counted. */
async function recoverMissing(scene: Scene) {
  const { clock } = scene;
  const id = newJobId(clock.now(), () => new Uint8Array(10));
  const job = { ...aJob({ timeMs: clock.now(), include: ['missing'] }), id };
  const jobs = await recoverIn(scene, job);
  return (await jobs.get(job.organizationId, id))?.counts;
}

// Seen: 40, 79, 118, 157 messages, all of them alive hours later.
describe('three recoveries of what is missing', () => {
  test('send nothing of forty deliveries that wait for a paused endpoint', async () => {
    const scene = await aScene({ event: forNobody });
    await pause(scene, 8 * hourMs);
    await many(scene, 40);
    for (const hours of [2, 4, 6]) {
      await work(scene, testStartMs + hours * hourMs);
      expect(await recoverMissing(scene)).toMatchObject({ missing: 0, sent: 0 });
      expect(scene.queue.size()).toBe(0);
    }
    await work(scene);
    expect(await attemptsOf(scene, 40)).toEqual(allDelivered(40));
    expect(scene.receiver.requests).toHaveLength(40);
  });

  test('send nothing of a delivery whose next attempt is hours away', async () => {
    const retry = { initialBackoffSeconds: 36_000 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry } }) });
    scene.receiver.answers(500, 200);
    await scene.start();
    for (const hours of [2, 4, 6]) {
      await work(scene, testStartMs + hours * hourMs);
      expect(await recoverMissing(scene)).toMatchObject({ missing: 0, sent: 0 });
    }
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('send nothing of what is held for a fault of ours, once that is known to last', async () => {
    const scene = await aScene({ event: forNobody });
    scene.settings.fateOf = ({ port }) => (port === 'prepare' ? 'fault before' : undefined);
    await many(scene, 10);
    await work(scene, testStartMs + hourMs);
    expect(await rowsOf(scene)).toHaveLength(10);
    for (const hours of [2, 4, 6]) {
      await work(scene, testStartMs + hours * hourMs);
      expect(await recoverMissing(scene)).toMatchObject({ missing: 0, sent: 0 });
    }
    scene.settings.fateOf = () => undefined;
    await work(scene);
    expect(await attemptsOf(scene, 10)).toEqual(allDelivered(10));
  });
});

// Seen: for a quarter of an hour each, two copies of a lone delivery, until its endpoint was paused for our own fault.
test('recoveries at any time send nothing of a lone delivery that cannot be signed', async () => {
  for (const seed of [1, 2, 3]) {
    const scene = await aScene({ event: forNobody, seed });
    scene.settings.fateOf = ({ port }) => (port === 'prepare' ? 'fault before' : undefined);
    await many(scene, 1);
    for (let minutes = 25; minutes <= 70; minutes += 3) {
      await work(scene, testStartMs + minutes * 60_000);
      expect(await recoverMissing(scene)).toMatchObject({ missing: 0, sent: 0 });
    }
    expect(await rowsOf(scene)).toHaveLength(1);
  }
});

test('a row that has lost both of its messages is missing two hours later, and is sent', async () => {
  const retry = { initialBackoffSeconds: 7_200 };
  const scene = await aScene({ endpoint: anEndpoint({ policy: { retry } }) });
  scene.receiver.answers(500, 200);
  await scene.start();
  await scene.step();
  const dueMs = Date.parse((await scene.delivery()).nextAttemptAt ?? '');
  scene.clock.passTo(dueMs + 2 * hourMs - 1_000);
  expect(await recoverMissing(scene)).toMatchObject({ missing: 0, sent: 0 });
  scene.clock.pass(2_000);
  expect(await recoverMissing(scene)).toMatchObject({ missing: 1, sent: 1 });
  await scene.step();
  expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
});

test('a delivery of which nothing is left but its event is missing, and is sent', async () => {
  const scene = await aScene({ event: forNobody });
  await many(scene, 1);
  for (const record of scene.queue.receive()) scene.queue.delete(record);
  scene.clock.pass(hourMs + 1);
  expect(await recoverMissing(scene)).toMatchObject({ missing: 1, sent: 1 });
  expect(scene.queue.waiting().map(({ body }) => readMessage(body)?.attempt)).toEqual([1]);
  await work(scene);
  expect(await attemptsOf(scene, 1)).toEqual(allDelivered(1));
});
