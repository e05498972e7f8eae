import { describe, expect, test } from 'vitest';
import { aMessage } from '../../fakes/a-message.ts';
import { aScene, settle } from './a-scene.ts';
import { apart } from './crowd.ts';

describe('copies of a message', () => {
  test('that come at the same time may both be posted, but one outcome is recorded and one chain goes on', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await scene.start();
    await apart(scene);
    expect(scene.receiver.requests).toHaveLength(2);
    // The two copies, and what follows of the faster one.
    expect(scene.queue.sent).toHaveLength(3);
    await settle(scene);
    const { status, attempts } = await scene.delivery();
    expect(status).toBe('delivered');
    expect(attempts.map(({ number }) => number)).toEqual([1, 2]);
    expect(scene.receiver.requests).toHaveLength(3);
  });

  test('that come in one batch are worked on one after the other, and the receiver gets one request', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 200);
    for (let copies = 0; copies < 5; copies += 1) await scene.start();
    await scene.invoke(scene.queue.receive());
    expect(scene.receiver.requests).toHaveLength(1);
    await settle(scene);
    expect((await scene.delivery()).attempts.map(({ number }) => number)).toEqual([1, 2]);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('that come after the delivery is done are dropped', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    await scene.start();
    await scene.sendMessage(aMessage({ attempt: 2 }));
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(scene.journal.lines.filter(({ message }) => message === 'delivery.dropped')).toHaveLength(2);
  });

  test('that come late repeat no attempt', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 500, 500, 200);
    await scene.start();
    await scene.step();
    await scene.start();
    await scene.step();
    await scene.step();
    await scene.start();
    await settle(scene);
    expect((await scene.delivery()).attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(scene.receiver.requests).toHaveLength(4);
  });

  test('of a whole batch for one event end as one delivery', async () => {
    const scene = await aScene();
    for (let copy = 0; copy < 10; copy += 1) await scene.start();
    await scene.invoke(scene.queue.receive());
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    expect(scene.queue.sent).toHaveLength(10);
  });
});
