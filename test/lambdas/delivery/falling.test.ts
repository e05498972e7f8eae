import { describe, expect, test } from 'vitest';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aDeadScene, aScene, deadLetters, settle } from './a-scene.ts';
import { apart, endpointId, gapsOf, toldOf } from './crowd.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 600 };

describe('a dead delivery', () => {
  test('is recorded as dead, and its one last message falls into the dead-letter queue and explains itself', async () => {
    const scene = await aDeadScene();
    expect(await scene.delivery()).toMatchObject({ status: 'dead', attemptCount: 2, lastError: 'http_500' });
    const [letter, ...others] = deadLetters(scene);
    expect(others).toEqual([]);
    const { organizationId, endpointId, eventId, eventType } = aMessage();
    expect(letter).toMatchObject({
      organizationId,
      endpointId,
      eventId,
      eventType,
      attempt: 2,
      lastError: 'http_500',
    });
    expect(letter?.dead).toMatchObject({ attempts: 2, lastError: 'http_500' });
  });

  test('posts nothing while its message falls', async () => {
    const scene = await aDeadScene();
    expect(scene.receiver.requests).toHaveLength(2);
    expect(scene.clock.now()).toBeLessThan(testStartMs + minuteMs);
  });

  test('falls again when it is redriven within its first minute', async () => {
    const scene = await aDeadScene();
    scene.falling.redrive();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(2);
    expect(scene.falling.dead).toHaveLength(1);
  });

  test('that is redriven later gets a fresh budget: same id, new timestamp, numbers that go on', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.answers(500, 200);
    scene.falling.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({
      status: 'delivered',
      round: 2,
      attempts: [
        { number: 1, round: 1, trigger: 'scheduled' },
        { number: 2, round: 1, trigger: 'scheduled', outcome: 'dead' },
        { number: 3, round: 2, trigger: 'redrive' },
        { number: 4, round: 2, trigger: 'scheduled', outcome: 'delivered' },
      ],
    });
    const ids = new Set(scene.receiver.requests.map(({ headers }) => headers['webhook-id']));
    expect(ids).toEqual(new Set([anEvent().id]));
    expect(scene.falling.dead).toEqual([]);
  });

  test('waits as at first after it was redriven: the schedule begins anew', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.answers(500, 200);
    scene.falling.redrive();
    await settle(scene);
    expect(gapsOf(scene).at(-1)).toBeLessThanOrEqual(7_100);
  });

  test('that is redriven and dies again falls again, and can be redriven again', async () => {
    const scene = await aDeadScene();
    for (const round of [2, 3]) {
      scene.clock.pass(hourMs);
      scene.falling.redrive();
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'dead', round, attemptCount: 2 * round });
      expect(scene.falling.dead).toHaveLength(1);
    }
  });

  test('that was delivered after a redrive is not sent again by a second redrive', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    const [letter] = scene.falling.dead;
    scene.falling.redrive();
    await settle(scene);
    await scene.falling.send({ body: letter?.body ?? '', groupId: 'any', delaySeconds: 0 });
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(3);
  });

  test('opens its new round once, though its message is redriven twice at the same time', async () => {
    const scene = await aDeadScene();
    const [letter] = scene.falling.dead;
    scene.clock.pass(hourMs);
    scene.receiver.answers(500, 200);
    scene.falling.redrive();
    await scene.falling.send({ body: letter?.body ?? '', groupId: 'any', delaySeconds: 0 });
    await apart(scene);
    await settle(scene);
    const { status, round, attempts } = await scene.delivery();
    expect({ status, round }).toEqual({ status: 'delivered', round: 2 });
    expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(scene.receiver.requests).toHaveLength(4);
  });

  test('that is redriven while something of ours is down waits, and is delivered then', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    for (const port of ['readRecipient', 'readKnown', 'prepare']) {
      scene.settings.fateOf = (call) => (call.port === port ? 'fault before' : undefined);
      if (port === 'readRecipient') scene.falling.redrive();
      await scene.step();
    }
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 3 });
  });
});

test('a dead letter of a paused endpoint falls at once', async () => {
  const policy = { circuitBreaker: { ...breaker, failures: 1 }, retry: { maximumAttempts: 1 } };
  const scene = await aScene({ endpoint: anEndpoint({ policy }) });
  scene.receiver.answers(500);
  await scene.start();
  await settle(scene);
  expect(scene.clock.now() - testStartMs).toBeLessThan(minuteMs);
  expect(deadLetters(scene)).toHaveLength(1);
  expect(toldOf(scene, 'delivery.dead')).toEqual([
    expect.objectContaining({ endpointId, eventId: anEvent().id, attempts: 1, lastError: 'http_500' }),
  ]);
});

describe('a batch', () => {
  test('with one poisonous record fails only that one, at once and until it falls among the poison of the lanes', async () => {
    const scene = await aScene();
    await scene.queue.send({ body: 'Hello', groupId: 'any', delaySeconds: 0 });
    await scene.start();
    await scene.invoke(scene.queue.receive());
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.queue.waiting().map(({ body }) => body)).toEqual(['Hello']);
    expect(scene.queue.nextAtMs()).toBeLessThanOrEqual(scene.clock.now());
    await settle(scene);
    expect(scene.queue.dead.map(({ body }) => body)).toEqual(['Hello']);
    const poisonous = scene.journal.lines.filter(({ message }) => message === 'message.poisonous');
    expect(poisonous).toHaveLength(50);
    expect(scene.falling.sent).toEqual([]);
    expect(JSON.stringify(poisonous)).not.toContain('Hello');
  });
});
