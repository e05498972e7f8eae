import { describe, expect, test } from 'vitest';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { aDeadScene, aScene, settle } from './a-scene.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe('a retry by hand', () => {
  test('sends once more what was delivered', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    await scene.retryByHand();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({
      status: 'delivered',
      round: 2,
      attempts: [{ number: 1 }, { number: 2, round: 2, trigger: 'manual' }],
    });
  });

  test.each(['scheduled', 'manual'])(
    'and an attempt of the schedule at the same moment get a number each, though the %s one is recorded first',
    async (faster) => {
      const scene = await aScene({
        endpoint: anEndpoint({ policy: { retry: { initialBackoffSeconds: 60 } } }),
      });
      scene.receiver.answers(500, 500, 500, 200);
      await scene.start();
      await scene.step();
      scene.clock.pass(2 * minuteMs);
      await scene.retryByHand();
      const all = scene.queue.receive();
      expect(all).toHaveLength(2);
      const first = all.filter(({ body }) => body.includes(faster));
      const second = all.filter(({ body }) => !body.includes(faster));
      await Promise.all([scene.invoke(first), scene.invoke(second)]);
      await settle(scene);
      const { status, attempts } = await scene.delivery();
      expect(status).toBe('delivered');
      const numbers = attempts.map(({ number }) => number);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(attempts.filter(({ trigger }) => trigger === 'manual')).toHaveLength(1);
      // One chain goes on: that of the round which somebody has asked for.
      expect(scene.receiver.requests).toHaveLength(4);
    },
  );

  test('takes over from a schedule that was still running', async () => {
    const scene = await aScene({
      endpoint: anEndpoint({ policy: { retry: { initialBackoffSeconds: 3_600 } } }),
    });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    await scene.retryByHand();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 2 });
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('asked for twice is made once', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    await Promise.all([scene.retryByHand(), scene.retryByHand()]);
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('of a dead delivery leaves nothing for its dead letter to do', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    await scene.retryByHand();
    await settle(scene);
    scene.falling.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 3 });
    expect(scene.receiver.requests).toHaveLength(3);
  });

  test('before the first message has come makes one delivery of the two', async () => {
    const scene = await aScene();
    await scene.retryByHand();
    await scene.step();
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    expect(scene.receiver.requests).toHaveLength(1);
  });
});
