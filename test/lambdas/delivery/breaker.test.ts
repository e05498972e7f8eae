import { describe, expect, test } from 'vitest';
import { resume } from '../../../lambdas/endpoint/health/resume.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, settle } from './a-scene.ts';
import { allDelivered, attemptsOf, endpointId, gapsOf, many, pause, toldOf, work } from './crowd.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 600 };
const often = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 30 };

/** An endpoint that is paused by its second failure in a row, and whose deliveries have many attempts. */
const fragile = anEndpoint({ policy: { circuitBreaker: breaker, disableAfterHours: null, retry: often } });

describe('the breaker', () => {
  test('pauses the whole endpoint when it keeps failing, and people are told once', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.receiver.always(500);
    await many(scene, 2);
    await work(scene);
    const [first, second, third] = scene.receiver.requests.map(({ atMs }) => atMs - testStartMs);
    expect([first, second].every((atMs) => (atMs ?? 0) < secondMs)).toBe(true);
    expect(third).toBeGreaterThanOrEqual(minuteMs);
    expect(toldOf(scene, 'endpoint.paused')).toEqual([
      expect.objectContaining({ endpointId, organizationId: 'org_1', reason: 'failures' }),
    ]);
  });

  test('lets one probe of many workers through, and all others wait for what it meets', async () => {
    const scene = await aScene({ endpoint: fragile });
    await pause(scene, 0);
    await many(scene, 30);
    await Promise.all([1, 2, 3].map(() => scene.invoke(scene.queue.receive())));
    expect(scene.receiver.requests).toHaveLength(1);
    await work(scene, testStartMs + 2 * secondMs - 1);
    expect(scene.receiver.requests).toHaveLength(1);
    // The probe was answered at once, so they do not wait for the end of its lease.
    await work(scene, testStartMs + 20 * secondMs);
    expect(await attemptsOf(scene, 30)).toEqual(allDelivered(30));
    expect(toldOf(scene, 'endpoint.resumed')).toHaveLength(1);
  });

  test('doubles the pause when the probe fails, and sends one request a pause (I10)', async () => {
    const scene = await aScene({ endpoint: fragile });
    await pause(scene, 0);
    scene.receiver.always(500);
    await many(scene, 20);
    await work(scene, testStartMs + 50 * minuteMs);
    const gaps = gapsOf(scene);
    const pauses = [120, 240, 480, 600, 600];
    expect(gaps.length).toBeGreaterThanOrEqual(pauses.length - 1);
    for (const [index, gapMs] of gaps.entries()) {
      const pauseMs = (pauses[index] ?? 600) * secondMs;
      expect(gapMs).toBeGreaterThanOrEqual(pauseMs);
      expect(gapMs).toBeLessThanOrEqual(pauseMs + 10 * secondMs);
    }
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual([]);
  });

  test('sends another probe after a minute when the function of the first one dies', async () => {
    let deaths = 1;
    const scene = await aScene({
      endpoint: fragile,
      fateOf: ({ port }) => (port === 'post' && deaths-- > 0 ? 'crash before' : undefined),
    });
    await pause(scene, 0);
    await many(scene, 3);
    await Promise.all([1, 2, 3].map(() => scene.invoke(scene.queue.receive(1))));
    expect(scene.receiver.requests).toEqual([]);
    await work(scene);
    const [probe, next] = scene.receiver.requests.map(({ atMs }) => atMs);
    expect(probe).toBeGreaterThanOrEqual(testStartMs + minuteMs);
    expect(probe).toBeLessThanOrEqual(testStartMs + 80 * secondMs);
    expect(next).toBeGreaterThan(probe ?? 0);
    expect(await attemptsOf(scene, 3)).toEqual(allDelivered(3));
  });

  test('spends no attempt of what waits: a pause of hours kills nothing', async () => {
    const retry = { ...often, maximumAttempts: 3 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { circuitBreaker: breaker, retry } }) });
    await pause(scene, 0);
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await many(scene, 5);
    await work(scene, testStartMs + 3 * minuteMs);
    expect(scene.receiver.requests.length).toBeLessThanOrEqual(2);
    scene.receiver.always(200);
    await work(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect((await attemptsOf(scene, 5)).every(([status]) => status === 'delivered')).toBe(true);
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
  });

  test('that is turned off never keeps a delivery back', async () => {
    const policy = { circuitBreaker: null, disableAfterHours: null, retry: often };
    const scene = await aScene({ endpoint: anEndpoint({ policy }) });
    scene.receiver.always(500);
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(30);
    expect(Math.max(...gapsOf(scene))).toBeLessThanOrEqual(2_100);
    expect(scene.journal.lines.filter(({ message }) => message === 'delivery.waits')).toEqual([]);
  });

  test('is closed by a person: what has waited comes at once, and what is fresh behind it', async () => {
    const scene = await aScene({ endpoint: fragile });
    await pause(scene, 24 * hourMs);
    await many(scene, 5);
    await work(scene, testStartMs + minuteMs);
    await resume(scene.drainPorts, fragile);
    await scene.start();
    await work(scene, testStartMs + 90 * secondMs);
    expect(await attemptsOf(scene, 5)).toEqual(allDelivered(5));
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.receiver.requests.at(-1)?.headers['webhook-id']).toBe(anEvent().id);
  });
});

describe('a receiver that asks for patience', () => {
  test('gets nothing of any delivery until then, and then one probe', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.receiver.answers({ kind: 'response', status: 429, retryAfter: '600' }, 200);
    await scene.start();
    await scene.step();
    scene.receiver.always(200);
    await many(scene, 20);
    await work(scene, testStartMs + 10 * minuteMs);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.paused')).toEqual([expect.objectContaining({ reason: 'retry_after' })]);
    await work(scene);
    const [, probe, next] = scene.receiver.requests.map(({ atMs }) => atMs);
    expect((next ?? 0) - (probe ?? 0)).toBeGreaterThan(0);
    expect(await attemptsOf(scene, 20)).toEqual(allDelivered(20));
    expect((await scene.delivery()).attemptCount).toBe(2);
  });
});
