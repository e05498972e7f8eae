import { describe, expect, test } from 'vitest';
import type { Backlog } from '../../../lambdas/endpoint/health/backlog.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { behind } from '../../../lambdas/shared/waiting.ts';
import { aDelivery } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { endpointId, rowsOf, set } from './crowd.ts';

const at = isoTime(testStartMs);

/** A delivery that waits as a row, while the drain is at a pass. */
async function atPass(pass: number, given: Partial<Backlog> = {}): Promise<Scene> {
  const scene = await aScene();
  const place = behind(endpointId, anEvent().id, testStartMs);
  await scene.ledger.rewrite(aDelivery({ ...place, attemptCount: 0, attempts: [] }));
  const dueAt = isoTime(testStartMs + 600_000);
  await set(scene, { backlog: { turn: 1, pass, dueAt, ...given } });
  return scene;
}

async function bring(scene: Scene, pass: number): Promise<void> {
  await scene.sendMessage(aMessage({ pass }));
  await scene.invoke(scene.queue.receive());
}

describe('a message that was brought back from a row', () => {
  test('in the pass that is under way is attempted', async () => {
    const scene = await atPass(3);
    await bring(scene, 3);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(await rowsOf(scene)).toEqual([]);
  });

  test('in a pass before is dropped: its row is there, and is sent again', async () => {
    const scene = await atPass(3);
    await bring(scene, 2);
    expect(scene.receiver.requests).toEqual([]);
    expect(await rowsOf(scene)).toHaveLength(1);
    expect(scene.queue.size()).toBe(0);
    expect(scene.journal.lines.map(({ message }) => message)).toContain('delivery.dropped');
  });

  test('in a pass that is not known yet is judged by the latest health', async () => {
    const scene = await atPass(4);
    const latest = await scene.health.readLatest(endpointId);
    const old = { ...latest, backlog: { turn: 0, pass: 3, dueAt: at } };
    const paused = {
      since: at,
      until: isoTime(testStartMs + 600_000),
      seconds: 60,
      cause: 'failures' as const,
    };
    // As it was read some seconds ago, when the endpoint was still paused.
    scene.health.read = () => Promise.resolve({ ...old, pause: paused });
    await bring(scene, 4);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('is attempted when there is no backlog any more', async () => {
    const scene = await atPass(3);
    await set(scene, {});
    await bring(scene, 3);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('while the backlog seems to be empty is attempted, too', async () => {
    const scene = await atPass(3, { emptyAt: at });
    await bring(scene, 3);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('twice is attempted once', async () => {
    const scene = await atPass(3);
    await bring(scene, 3);
    await bring(scene, 3);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('above the pace is tried again by itself within seconds, its row untouched', async () => {
    const scene = await atPass(3);
    scene.configuration.set(anEndpoint({ policy: { rateLimitPerSecond: 0.1 } }));
    expect(await scene.ports.take(endpointId, 0.1)).toBe(true);
    await bring(scene, 3);
    expect(scene.receiver.requests).toEqual([]);
    expect(await rowsOf(scene)).toHaveLength(1);
    const [message, ...others] = scene.queue.waiting();
    expect(others).toEqual([]);
    expect(readMessage(message?.body ?? '')?.pass).toBe(3);
    expect(message?.delaySeconds).toBeLessThanOrEqual(3);
  });
});

test('a message that was never brought back asks for no pass', async () => {
  const scene = await aScene();
  await set(scene, { backlog: { turn: 1, pass: 9, dueAt: at, emptyAt: at } });
  await scene.start();
  await scene.step();
  expect((await scene.delivery()).status).toBe('delivered');
});
