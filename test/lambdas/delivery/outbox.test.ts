import { describe, expect, test } from 'vitest';
import type { Fate, FateOf, PortName } from './mortal.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, deadLetters, settle } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { attemptsOf, deliveryOf, many, names, pause, set, toldOf, work } from './crowd.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const once = anEndpoint({ policy: { retry: { maximumAttempts: 1 } } });
const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 600, maximumPauseSeconds: 600 };
const fragile = anEndpoint({ policy: { circuitBreaker: breaker, disableAfterHours: null } });

/** The first call of a port meets a fate, all others none. */
function first(port: PortName, fate: Fate): FateOf {
  let dooms = 1;
  return (call) => (call.port === port && dooms-- > 0 ? fate : undefined);
}

/** Messages that ask for an attempt of the scene's one delivery, and still wait. */
function live(scene: Scene): (number | undefined)[] {
  return scene.queue.waiting().map(({ body }) => readMessage(body)?.attempt);
}

describe('what a record owes', () => {
  test('is the message for the next attempt, and is struck off when it is sent', async () => {
    const scene = await aScene({ fateOf: ({ port }) => (port === 'strikeOff' ? 'crash before' : undefined) });
    scene.receiver.always(500);
    await scene.start();
    await scene.step();
    expect(await scene.delivery()).toMatchObject({ status: 'retrying', owes: 'message' });
    scene.settings.fateOf = () => undefined;
    await scene.step();
    expect(await scene.delivery()).toMatchObject({ attemptCount: 2, owes: 'nothing' });
  });

  test('is nothing any more when all went well', async () => {
    const scene = await aScene();
    scene.receiver.answers(500);
    await scene.start();
    await scene.step();
    expect(await scene.delivery()).toMatchObject({ owes: 'nothing' });
    expect(live(scene)).toEqual([2]);
  });

  test('is the letter of a dead delivery, and is struck off when that falls', async () => {
    const scene = await aScene({ endpoint: once, fateOf: first('bury', 'crash before') });
    scene.receiver.always(500);
    await scene.start();
    await scene.step();
    expect(await scene.delivery()).toMatchObject({ status: 'dead', owes: 'letter' });
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ owes: 'nothing' });
    expect(deadLetters(scene)).toHaveLength(1);
  });

  test('is nothing when the next attempt is hours away: that waits as a row', async () => {
    const retry = { initialBackoffSeconds: 7_200 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry } }) });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    const delivery = await scene.delivery();
    expect(delivery).not.toHaveProperty('owes');
    expect(delivery.waiting).toMatch(/^DUE#\d\d$/);
    expect(scene.queue.size()).toBe(0);
  });

  test('that cannot be struck off is sent once all the same', async () => {
    const scene = await aScene({ fateOf: ({ port }) => (port === 'strikeOff' ? 'fault before' : undefined) });
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 3 });
    expect(scene.queue.sent).toHaveLength(3);
    expect(scene.journal.lines.map(({ message }) => message)).toContain('delivery.unstruck');
  });
});

describe('who dies, or fails, between the record and what follows', () => {
  test.each(['crash before', 'crash after', 'fault before', 'fault after'] as const)(
    'at the sending (%s) loses nothing, and no attempt is made twice',
    async (fate) => {
      const scene = await aScene({ fateOf: first('send', fate) });
      scene.receiver.answers(500, 200);
      await scene.start();
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
      expect(scene.receiver.requests).toHaveLength(2);
    },
  );

  test.each(['crash after', 'fault after'] as const)(
    'at the record itself (%s), whose answer is lost, loses nothing and posts once',
    async (fate) => {
      const scene = await aScene({ fateOf: first('record', fate) });
      scene.receiver.answers(500, 200);
      await scene.start();
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
      expect(scene.receiver.requests).toHaveLength(2);
    },
  );

  test.each(['announce', 'bury'] as const)(
    'at %s of a dead delivery still has its letter fall',
    async (port) => {
      for (const fate of ['crash before', 'crash after', 'fault before', 'fault after'] as const) {
        const scene = await aScene({ endpoint: once, fateOf: first(port, fate) });
        scene.receiver.always(500);
        await scene.start();
        await settle(scene);
        expect((await scene.delivery()).status).toBe('dead');
        expect(deadLetters(scene).length).toBeGreaterThanOrEqual(1);
        expect(toldOf(scene, 'delivery.dead').length).toBeGreaterThanOrEqual(1);
        expect(scene.receiver.requests).toHaveLength(1);
      }
    },
  );

  test('has what he owes sent though his endpoint is paused when his message comes back', async () => {
    const scene = await aScene({ endpoint: once, fateOf: first('record', 'crash after') });
    scene.receiver.always(500);
    await scene.start();
    await scene.step();
    await pause(scene, hourMs);
    await work(scene, testStartMs + 10 * minuteMs);
    expect(deadLetters(scene)).toHaveLength(1);
  });

  test('has what he owes sent though his endpoint is deleted when his message comes back', async () => {
    const scene = await aScene({ endpoint: once, fateOf: first('record', 'crash after') });
    scene.receiver.always(500);
    await scene.start();
    await scene.step();
    await scene.configuration.endpoints.remove('org_1', once.id);
    await settle(scene);
    expect((await scene.delivery()).status).toBe('dead');
    expect(deadLetters(scene)).toHaveLength(1);
  });
});

describe('a delivery that was brought back from its row, whose function dies when it has recorded', () => {
  /** Twenty deliveries wait; the probe's function dies as soon as it has recorded that the probe failed. */
  async function aSceneOfDeath(retry: object): Promise<Scene> {
    const policy = { ...fragile.policy, retry };
    const scene = await aScene({ endpoint: { ...fragile, policy } });
    await pause(scene, 10 * minuteMs);
    await many(scene, 20);
    await work(scene, testStartMs + 5 * minuteMs);
    scene.receiver.always(500);
    scene.settings.fateOf = first('record', 'crash after');
    await work(scene, testStartMs + 11 * minuteMs);
    expect(scene.receiver.requests).toHaveLength(1);
    return scene;
  }

  test('goes on, though another pass over the rows has begun by then', async () => {
    const scene = await aSceneOfDeath({ initialBackoffSeconds: 60 });
    await work(scene, testStartMs + hourMs);
    scene.receiver.always(200);
    await work(scene);
    expect((await attemptsOf(scene, 20)).map(([status]) => status)).toEqual(Array(20).fill('delivered'));
  });

  test('is a dead letter, though another pass has begun or the endpoint is paused by then', async () => {
    const scene = await aSceneOfDeath({ maximumAttempts: 1 });
    await work(scene, testStartMs + 25 * minuteMs);
    const all = await Promise.all(names(20).map((name) => deliveryOf(scene, name)));
    const dead = all.filter((delivery) => delivery?.status === 'dead');
    expect(dead.length).toBeGreaterThanOrEqual(1);
    expect(deadLetters(scene)).toHaveLength(dead.length);
  });
});

describe('copies of which the faster one records and dies before it sends', () => {
  test.each([
    ['goes on', [500, 500, 200], 'delivered'],
    ['is a dead letter', [410, 410], 'dead'],
  ])('the delivery %s when that one comes back, by one message', async (_, answers, status) => {
    const scene = await aScene();
    scene.receiver.answers(...answers);
    await scene.start();
    await scene.start();
    const [faster, slower] = scene.queue.receive();
    if (faster === undefined || slower === undefined) throw new Error('two messages wait');
    scene.settings.fateOf = first('record', 'crash after');
    await Promise.all([scene.invoke([faster]), scene.invoke([slower])]);
    await settle(scene);
    expect((await scene.delivery()).status).toBe(status);
    expect(deadLetters(scene)).toHaveLength(status === 'dead' ? 1 : 0);
    expect(scene.receiver.requests).toHaveLength(answers.length);
  });

  test('what it owed is sent by a redrive, should it have fallen among the poison', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 200);
    await scene.start();
    const [record] = scene.queue.receive();
    if (record === undefined) throw new Error('a message waits');
    scene.settings.fateOf = first('record', 'crash after');
    await scene.invoke([record]);
    // Its fiftieth receive: SQS hands it out no more.
    scene.queue.delete(record);
    await settle(scene);
    expect((await scene.delivery()).status).toBe('retrying');
    scene.clock.pass(24 * hourMs);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });
});

test('a backlog says nothing to what was never brought back', async () => {
  const scene = await aScene();
  const at = scene.clock.iso();
  await set(scene, { backlog: { turn: 3, pass: 4, dueAt: at, emptyAt: at } });
  await scene.start();
  await scene.step();
  expect((await scene.delivery()).status).toBe('delivered');
});
