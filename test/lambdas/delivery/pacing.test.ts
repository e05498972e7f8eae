import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene } from './a-scene.ts';
import { allDelivered, attemptsOf, expectPace, many, set, work } from './crowd.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const often = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 30 };

describe('after a pause', () => {
  test('what has waited is let go at a pace that doubles every half minute', async () => {
    const scene = await aScene({ tookMs: 1 });
    await set(scene, { backSince: isoTime(testStartMs) });
    await many(scene, 400);
    await work(scene);
    expect(await attemptsOf(scene, 400)).toEqual(allDelivered(400));
    const first = scene.receiver.requests.filter(({ atMs }) => atMs < testStartMs + 30 * secondMs);
    expect(first.length).toBeLessThanOrEqual(10 * (30 + 2) + 1);
    expectPace(scene, 20);
    const last = Math.max(...scene.receiver.requests.map(({ atMs }) => atMs));
    expect(last - testStartMs).toBeLessThanOrEqual(50 * secondMs);
  });

  test('what comes later is let go faster', async () => {
    const scene = await aScene({ tookMs: 1 });
    await set(scene, { backSince: isoTime(testStartMs) });
    scene.clock.pass(90 * secondMs);
    await many(scene, 400);
    await work(scene);
    expectPace(scene, 80);
    const last = Math.max(...scene.receiver.requests.map(({ atMs }) => atMs));
    expect(last - testStartMs - 90 * secondMs).toBeLessThanOrEqual(15 * secondMs);
  });

  test('five minutes later nothing is held back any more', async () => {
    const scene = await aScene({ tookMs: 1 });
    await set(scene, { backSince: isoTime(testStartMs - 5 * minuteMs) });
    await many(scene, 100);
    await work(scene);
    expect(scene.queue.sent).toHaveLength(100);
    expect(scene.calls.filter(({ port }) => port === 'take')).toEqual([]);
  });
});

describe('a limit of attempts a second', () => {
  test.each([
    [20, 400],
    [2, 60],
    [0.05, 8],
  ])('of %d holds over every window (I9), and all are delivered', async (rateLimitPerSecond, count) => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond } }), tookMs: 1 });
    await many(scene, count);
    await work(scene);
    expect(await attemptsOf(scene, count)).toEqual(allDelivered(count));
    expectPace(scene, rateLimitPerSecond);
  });

  test('holds for retries and fresh deliveries together', async () => {
    const retry = { ...often, maximumAttempts: 3 };
    const policy = { rateLimitPerSecond: 5, retry, circuitBreaker: null };
    const scene = await aScene({ endpoint: anEndpoint({ policy }), tookMs: 1 });
    scene.receiver.always(500);
    await many(scene, 60);
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(180);
    expectPace(scene, 5);
  });

  test('that is far above what comes in has all of it wait, with all attempts unspent', async () => {
    const policy = { rateLimitPerSecond: 0.1 };
    const scene = await aScene({ endpoint: anEndpoint({ policy }), tookMs: 1 });
    await many(scene, 200);
    await work(scene);
    expect(await attemptsOf(scene, 200)).toEqual(allDelivered(200));
    expectPace(scene, 0.1);
  });

  test('holds when the lanes stood still for ten minutes', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond: 2 } }), tookMs: 1 });
    await many(scene, 60);
    for (let batch = 0; batch < 6; batch += 1) await scene.invoke(scene.queue.receive());
    scene.clock.pass(10 * minuteMs);
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(60);
    expectPace(scene, 2);
  });

  test('holds while workers ask for leave at the same time', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond: 5 } }), tookMs: 1 });
    await many(scene, 50);
    await Promise.all([1, 2, 3, 4, 5].map(() => scene.invoke(scene.queue.receive())));
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(50);
    expectPace(scene, 5);
  });
});
