import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { endpointId, names, one, pausedUntil, set, toldOf, work } from './crowd.ts';
import { mortalDrain } from './mortal.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const unsaid = [{ kind: 'paused' as const, at: isoTime(testStartMs), reason: 'failures' }];

/** The bus takes nothing, of no function. */
function silence({ settings }: Scene): void {
  const fateOf = ({ port }: { port: string }) => (port === 'announce' ? 'fault before' : undefined);
  settings.fateOf = fateOf;
  settings.drainPortsOf = (ports) => mortalDrain(ports, fateOf);
}

describe('what people must know', () => {
  test('and a function that died has left unsaid is said by whoever comes every minute, though nothing is delivered', async () => {
    const scene = await aScene();
    await set(scene, { unsaid, sayAfter: isoTime(testStartMs) });
    await work(scene, testStartMs + 5 * minuteMs);
    expect(toldOf(scene, 'endpoint.paused')).toEqual([
      { organizationId: 'org_1', endpointId, at: isoTime(testStartMs), reason: 'failures' },
    ]);
    expect((await scene.health.readLatest(endpointId)).unsaid).toEqual([]);
  });

  test('and another function is just saying is left to that one', async () => {
    const scene = await aScene();
    await set(scene, { unsaid, sayAfter: isoTime(testStartMs + 10 * minuteMs) });
    await work(scene, testStartMs + 9 * minuteMs);
    expect(scene.announced).toEqual([]);
    await work(scene, testStartMs + 13 * minuteMs);
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
  });

  test('is kept while the bus takes nothing, no delivery waits for it, and it is said then', async () => {
    const scene = await aScene();
    silence(scene);
    await set(scene, { unsaid });
    await scene.start();
    await work(scene, testStartMs + hourMs);
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.announced).toEqual([]);
    expect((await scene.health.readLatest(endpointId)).unsaid).toEqual(unsaid);
    scene.settings.drainPortsOf = (ports) => ports;
    await work(scene, testStartMs + hourMs + 5 * minuteMs);
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
  });

  // The one who said it had written the health, and lost the lease by his own write.
  test('is no hindrance to a probe', async () => {
    const scene = await aScene();
    await set(scene, { ...pausedUntil(testStartMs), unsaid });
    await scene.start();
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
  });

  test('is said while the endpoint is paused, not when that is over', async () => {
    const scene = await aScene();
    await set(scene, { ...pausedUntil(testStartMs + hourMs), unsaid });
    await scene.start();
    await work(scene, testStartMs + 5 * minuteMs);
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
    expect(scene.receiver.requests).toEqual([]);
    await work(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
  });

  test('keeps no endpoint paused, though the bus takes nothing for hours', async () => {
    const scene = await aScene();
    silence(scene);
    await set(scene, { ...pausedUntil(testStartMs), unsaid });
    await scene.start();
    await work(scene, testStartMs + hourMs);
    expect((await scene.delivery()).status).toBe('delivered');
  });

  test('stays little while the bus takes nothing: ten notices, the latest of each kind among them', async () => {
    const breaker = { failures: 1, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 60 };
    const retry = { initialBackoffSeconds: 60, multiplier: 1, maximumAttempts: 30 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { circuitBreaker: breaker, retry } }) });
    silence(scene);
    scene.receiver.answers(...Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 500 : 200)));
    for (const [index, name] of names(30).entries()) {
      await one(scene, name);
      await work(scene, testStartMs + (index + 1) * 3 * minuteMs);
    }
    const left = (await scene.health.readLatest(endpointId)).unsaid;
    expect(left).toHaveLength(10);
    expect(left.slice(-2).map(({ kind }) => kind)).toEqual(['paused', 'resumed']);
    expect(Date.parse(left.at(-1)?.at ?? '')).toBeGreaterThan(testStartMs + 85 * minuteMs);
  });
});
