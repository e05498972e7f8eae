import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, settle } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { work } from './crowd.ts';

const hourMs = 3_600_000;
const patient = anEndpoint({ policy: { retry: { initialBackoffSeconds: 7_200 } } });

/** A delivery whose first attempt has failed, and whose second one is two hours away. */
async function aWaitingScene(): Promise<Scene & { readonly dueMs: number }> {
  const scene = await aScene({ endpoint: patient });
  scene.receiver.answers(500, 200);
  await scene.start();
  await scene.step();
  const { nextAttemptAt = '' } = await scene.delivery();
  return { ...scene, dueMs: Date.parse(nextAttemptAt) };
}

describe('a wait of more than a quarter of an hour', () => {
  test('is a row and no message, and its attempt comes at its time', async () => {
    const scene = await aWaitingScene();
    expect(scene.queue.size()).toBe(0);
    expect((await scene.delivery()).waitingAt).toMatch(`${isoTime(scene.dueMs)}#`);
    await settle(scene);
    const lateMs = (scene.receiver.requests[1]?.atMs ?? 0) - scene.dueMs;
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(1_000);
    // The first one, and the one of whoever came for the row.
    expect(scene.queue.sent).toHaveLength(2);
    expect(await scene.delivery()).not.toHaveProperty('waiting');
  });

  test('calls for nothing while it lasts', async () => {
    const scene = await aWaitingScene();
    const calls = scene.calls.length;
    await work(scene, scene.dueMs - 2 * 60_000);
    expect(scene.calls).toHaveLength(calls);
  });

  test('has the row stay until the attempt is recorded: whose message is lost is sent on an hour later', async () => {
    const scene = await aWaitingScene();
    await work(scene, scene.dueMs - 1_000);
    scene.clock.passTo(scene.dueMs + 1_000);
    const [record] = scene.queue.receive();
    if (record === undefined) throw new Error('nobody has come for the row');
    scene.queue.delete(record);
    while (scene.receiver.requests.length < 2 && scene.clock.now() < scene.dueMs + 2 * hourMs) {
      scene.clock.pass(60_000);
      await scene.runWake();
      await work(scene, scene.clock.now());
    }
    const lateMs = (scene.receiver.requests[1]?.atMs ?? 0) - scene.dueMs;
    expect(lateMs).toBeGreaterThanOrEqual(hourMs);
    expect(lateMs).toBeLessThan(hourMs + 3 * 60_000);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });

  test('is over once, though whoever comes for the row sends it on twice', async () => {
    const scene = await aWaitingScene();
    await work(scene, scene.dueMs - 1_000);
    const [message] = scene.queue.waiting();
    if (message === undefined) throw new Error('nobody has come for the row');
    await scene.queue.send({ ...message, delaySeconds: 3 });
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('may be ended by hand', async () => {
    const scene = await aWaitingScene();
    await scene.retryByHand();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 2 });
    expect(scene.clock.now()).toBeLessThan(testStartMs + 60_000);
    expect(scene.receiver.requests).toHaveLength(2);
  });
});

describe('a wait of at most a quarter of an hour', () => {
  test('is a message and no row', async () => {
    const retry = { initialBackoffSeconds: 700 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry } }) });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    expect(await scene.delivery()).not.toHaveProperty('waiting');
    expect(scene.queue.size()).toBe(1);
    await settle(scene);
    expect(scene.queue.sent).toHaveLength(2);
  });
});

describe('a message that comes before its time', () => {
  test('as hops of the version before do, reads nothing', async () => {
    const scene = await aScene();
    await scene.sendMessage(aMessage({ notBefore: isoTime(testStartMs + 24 * hourMs) }));
    for (let hop = 0; hop < 90; hop += 1) await scene.step();
    expect(new Set(scene.calls.map(({ port }) => port))).toEqual(new Set(['send']));
    await settle(scene);
    expect(scene.receiver.requests.map(({ atMs }) => atMs)).toEqual([testStartMs + 24 * hourMs]);
  });

  test('is put off for what is left', async () => {
    const scene = await aScene();
    await scene.sendMessage(aMessage({ notBefore: isoTime(testStartMs + 5_000) }), 0);
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    const next = scene.queue.sent.at(-1);
    expect(next?.delaySeconds).toBe(5);
    expect(readMessage(next?.body ?? '')).toEqual(readMessage(scene.queue.sent[0]?.body ?? ''));
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
  });
});
