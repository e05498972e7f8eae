import { describe, expect, test } from 'vitest';
import { slowMs } from '../../../lambdas/endpoint/health/slow.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { shareMax } from '../../../lambdas/endpoint/health/pace.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, settle } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { allDelivered, attemptsOf, endpointId, many, rowsOf, set, work } from './crowd.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const causesOf = ({ journal }: Scene) =>
  journal.lines.filter(({ message }) => message === 'delivery.waits').map(({ fields }) => fields['cause']);

/** So many attempts of other functions have no answer for ten seconds. */
async function hangElsewhere({ health, clock }: Scene, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await health.hang(endpointId, `elsewhere ${index}`, clock.now() + 10_000);
}

describe('a receiver that takes long', () => {
  test('is held before it has answered when its share of the workers, over all functions, has no answer', async () => {
    const scene = await aScene({
      tookMs: 15_000,
      fateOf: ({ port }) => (port === 'record' ? 'crash before' : undefined),
    });
    await hangElsewhere(scene, shareMax - 1);
    await many(scene, 1);
    await scene.invoke(scene.queue.receive(1));
    const health = await scene.health.readLatest(endpointId);
    expect(health.failures).toBe(0);
    expect(health.slow).toEqual({ ms: 15_000, at: isoTime(testStartMs + slowMs) });
  });

  test('and is held to its mean is held to its timeout when its share has waited for four times as long', async () => {
    const scene = await aScene({
      tookMs: 15_000,
      fateOf: ({ port }) => (port === 'record' ? 'crash before' : undefined),
    });
    await set(scene, { slow: { ms: 600, at: isoTime(testStartMs) } });
    await hangElsewhere(scene, shareMax - 1);
    await many(scene, 1);
    await scene.invoke(scene.queue.receive(1));
    const { slow } = await scene.health.readLatest(endpointId);
    expect(slow).toEqual({ ms: 15_000, at: isoTime(testStartMs + 4 * 600) });
  });

  test('is not held while fewer than its share have no answer, nor for its first slow answers', async () => {
    const scene = await aScene({ tookMs: 2_000 });
    await hangElsewhere(scene, shareMax - 2);
    await many(scene, 15);
    for (const record of scene.queue.receive()) await scene.invoke([record]);
    expect(await scene.health.readLatest(endpointId)).toEqual(well);
    // What was answered is no longer counted.
    const { count } = await scene.health.hang(endpointId, 'another', scene.clock.now() + 1);
    expect(count).toBe(1);
  });

  test('holds few of a batch at once; the rest waits as rows, without an attempt', async () => {
    const scene = await aScene({ tookMs: 3_000 });
    await many(scene, 10);
    await scene.invoke(scene.queue.receive());
    expect(scene.receiver.requests).toHaveLength(3);
    expect(causesOf(scene)).toEqual(Array(7).fill('share'));
    expect(await rowsOf(scene)).toHaveLength(7);
    expect(scene.queue.size()).toBe(0);
  });

  test('gets what its share of the workers allows, and all in the end', async () => {
    const scene = await aScene({ tookMs: 3_000 });
    await many(scene, 60);
    await work(scene, testStartMs + 20 * minuteMs);
    expect(await attemptsOf(scene, 60)).toEqual(allDelivered(60));
  });

  test('is held to as many attempts a second as keep its share busy', async () => {
    const scene = await aScene();
    const perSecond = 0.5;
    await set(scene, { slow: { ms: (shareMax * 1_000) / perSecond, at: isoTime(testStartMs) } });
    await many(scene, 30);
    await work(scene, testStartMs + 9_000);
    // A burst of two seconds, and what nine seconds allow.
    expect(scene.receiver.requests.length).toBeLessThanOrEqual(perSecond * (9 + 2) + 1);
    expect(new Set(causesOf(scene))).toEqual(new Set(['paced', 'behind']));
  });

  test('is quick again when it has answered quickly for ten seconds, and what has waited comes at a growing pace', async () => {
    const scene = await aScene();
    await set(scene, { slow: { ms: 20_000, at: isoTime(testStartMs) } });
    await many(scene, 40);
    await work(scene, testStartMs + 2 * minuteMs);
    expect(await attemptsOf(scene, 40)).toEqual(allDelivered(40));
    const { slow, backSince } = await scene.health.readLatest(endpointId);
    expect(slow).toBeUndefined();
    expect(Date.parse(backSince ?? '')).toBeLessThanOrEqual(testStartMs + minuteMs);
  });

  test('is free five minutes after it was last slow, though nothing was sent since', async () => {
    const scene = await aScene();
    await set(scene, { slow: { ms: 30_000, at: isoTime(testStartMs) } });
    scene.clock.pass(5 * minuteMs);
    await many(scene, 10);
    await scene.invoke(scene.queue.receive());
    expect(await attemptsOf(scene, 10)).toEqual(allDelivered(10));
    expect(scene.calls.map(({ port }) => port)).not.toContain('take');
  });

  test('has a redriven dead letter delivered, too', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.receiver.answers(500, 200);
    await scene.start();
    await settle(scene);
    scene.clock.pass(hourMs);
    await set(scene, { slow: { ms: 10_000, at: scene.clock.iso() } });
    scene.falling.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2 });
  });
});

test('a quick receiver is never held: no write for its pace, no row', async () => {
  const scene = await aScene({ tookMs: slowMs - 1 });
  await many(scene, 50);
  await work(scene);
  expect(await attemptsOf(scene, 50)).toEqual(allDelivered(50));
  const ports = new Set(scene.calls.map(({ port }) => port));
  expect([...ports].toSorted()).toEqual([
    'post',
    'prepare',
    'readHealth',
    'readKnown',
    'readRecipient',
    'record',
  ]);
});

test('a request that ends by an error of ours leaves its place, or whoever comes next would wait for ever', async () => {
  const scene = await aScene();
  scene.receiver.answers();
  await many(scene, 5);
  for (const record of scene.queue.receive()) await scene.invoke([record]);
  scene.receiver.always(200);
  await work(scene);
  expect(await attemptsOf(scene, 5)).toEqual(allDelivered(5));
});
