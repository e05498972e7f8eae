import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../../lambdas/delivery/message.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anEvent } from '../../../fakes/an-event.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { aScene, deadLetters, settle } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { work } from '../crowd.ts';
import type { PortName } from '../mortal.ts';

const minuteMs = 60_000;
const writes: readonly PortName[] = ['record', 'rewrite', 'strikeOff', 'replaceHealth'];

/** The ledger reads, and refuses writes for so long. */
async function refused(minutes: number, answers: readonly number[], endpoint = anEndpoint()): Promise<Scene> {
  const scene = await aScene({
    endpoint,
    fateOf: ({ port }) => (writes.includes(port) ? 'fault before' : undefined),
  });
  scene.receiver.answers(...answers);
  await scene.start();
  await work(scene, testStartMs + minutes * minuteMs);
  return scene;
}

// Seen: five requests for one delivery, then a letter without a mark.
describe('while the ledger reads but refuses writes, for 25 minutes', () => {
  test('the receiver has one request, and what it answered is recorded then', async () => {
    const scene = await refused(25, [200]);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(await scene.ledger.deliveries.get(anEndpoint().id, anEvent().id)).toBeUndefined();
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    expect((await scene.delivery()).attempts[0]?.at).toBe('2026-11-23T10:00:00.000Z');
    expect(scene.receiver.requests).toHaveLength(1);
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
  });

  test('a failed attempt is followed by the next one, when it can be recorded', async () => {
    const scene = await refused(25, [500, 200]);
    expect(scene.receiver.requests).toHaveLength(1);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
    expect(scene.receiver.requests).toHaveLength(2);
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
  });

  test('a delivery that dies has its letter, marked, when it can be recorded', async () => {
    const scene = await refused(25, [500], anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }));
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect((await scene.delivery()).status).toBe('dead');
    expect(deadLetters(scene)).toMatchObject([{ dead: { attempts: 1, lastError: 'http_500' } }]);
    expect(scene.queue.dead).toEqual([]);
  });

  test('each message is received once, and there is one of them', async () => {
    const scene = await refused(25, [200]);
    const [record, ...others] = scene.queue.waiting();
    expect(others).toEqual([]);
    expect(readMessage(record?.body ?? '')?.outcome?.made).toMatchObject({ outcome: 'delivered' });
    expect(scene.queue.sent.length).toBeLessThanOrEqual(8);
  });
});

test('nothing of an answer travels in a message, though its endpoint keeps it', async () => {
  const scene = await aScene({
    endpoint: anEndpoint({ keepResponse: true }),
    fateOf: ({ port }) => (port === 'record' ? 'fault before' : undefined),
  });
  scene.receiver.answers({ kind: 'response', status: 500, body: 'PLANTED' });
  await scene.start();
  await scene.step();
  expect(scene.queue.size()).toBe(1);
  expect(JSON.stringify(scene.queue.sent)).not.toContain('PLANTED');
});
