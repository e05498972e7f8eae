import { describe, expect, test } from 'vitest';
import { park, raise } from '../../../lambdas/delivery/park.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDelivered, aDelivery } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, settle } from './a-scene.ts';
import { endpointId, pause, pausedUntil, rowsOf, set } from './crowd.ts';

const minuteMs = 60_000;
const owner = { id: endpointId, organizationId: 'org_1' };
const paused = { ...well, ...pausedUntil(testStartMs + 10 * minuteMs) };
const place = { waiting: `ENDPOINT#${endpointId}`, waitingAt: `${isoTime(testStartMs)}#${anEvent().id}` };

describe('the row of a delivery that waits', () => {
  test('of which nothing was recorded says that it is queued, behind all that waits already', async () => {
    const scene = await aScene();
    const isParked = await park(scene.ports, aMessage(), {
      before: undefined,
      health: paused,
      cause: 'paused',
    });
    expect(isParked).toBe(true);
    expect(await scene.delivery()).toMatchObject({
      ...{ status: 'retrying', round: 1, roundStart: 0, attemptCount: 0, attempts: [] },
      ...place,
    });
  });

  test('keeps its attempts, its count and the last error', async () => {
    const scene = await aScene();
    const before = aDelivery();
    await scene.ledger.record(before);
    const message = aMessage({ attempt: 2, lastError: 'http_500' });
    await park(scene.ports, message, { before, health: paused, cause: 'paused' });
    const { attempts, attemptCount, lastError } = before;
    expect(await scene.delivery()).toMatchObject({ attempts, attemptCount, lastError, ...place });
    expect(await scene.delivery()).not.toHaveProperty('nextAttemptAt');
  });

  test('of a round that somebody opens says so, and counts from there', async () => {
    const scene = await aScene();
    const before = aDelivered();
    await scene.ledger.record(before);
    const message = aMessage({ round: 2, attempt: 2, trigger: 'manual' });
    await park(scene.ports, message, { before, health: paused, cause: 'paused' });
    expect(await scene.delivery()).toMatchObject({
      round: 2,
      roundStart: 1,
      attemptCount: 1,
      trigger: 'manual',
    });
  });

  test.each([
    ['an attempt', aDelivery({ attemptCount: 2 })],
    ['its end', aDelivered({ attemptCount: 2 })],
    ['another round', aDelivery({ round: 2, attemptCount: 2 })],
  ])('is not written over %s that was recorded meanwhile', async (_, meanwhile) => {
    const scene = await aScene();
    const before = aDelivery();
    await scene.ledger.record(meanwhile);
    const message = aMessage({ attempt: 2 });
    expect(await park(scene.ports, message, { before, health: paused, cause: 'paused' })).toBe(false);
    expect(await scene.delivery()).toMatchObject({ attemptCount: 2, status: meanwhile.status });
    expect(await rowsOf(scene)).toEqual([]);
  });
});

describe('that something waits', () => {
  test('is written, and somebody is asked to come when the pause ends', async () => {
    const scene = await aScene();
    const untilMs = await pause(scene, 10 * minuteMs);
    await raise(scene.ports, owner, well);
    const { backlog } = await scene.health.readLatest(endpointId);
    expect(backlog).toMatchObject({ turn: 0, pass: 1, dueAt: isoTime(untilMs) });
    expect(scene.drains.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([600]);
  });

  test('is written for seconds from now when no pause holds it', async () => {
    const scene = await aScene();
    await raise(scene.ports, owner, well);
    expect(scene.drains.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([3]);
  });

  test('is asked of nobody when the pause is longer than a message can wait: it is a row, too', async () => {
    const scene = await aScene();
    await pause(scene, 60 * minuteMs);
    await raise(scene.ports, owner, well);
    expect(scene.drains.sent).toEqual([]);
    expect(await scene.nextAtMs()).toBeLessThanOrEqual(testStartMs + 60 * minuteMs);
  });

  test('is not written again while it is known, whoever parks', async () => {
    const scene = await aScene();
    await pause(scene, 10 * minuteMs);
    await raise(scene.ports, owner, well);
    const { version } = await scene.health.readLatest(endpointId);
    await raise(scene.ports, owner, well);
    await raise(scene.ports, owner, await scene.health.readLatest(endpointId));
    expect((await scene.health.readLatest(endpointId)).version).toBe(version);
  });

  test('is written over a backlog that seems to be empty, whose last step then does nothing', async () => {
    const scene = await aScene();
    const at = isoTime(testStartMs);
    await set(scene, { backlog: { turn: 7, pass: 3, dueAt: at, emptyAt: at } });
    await raise(scene.ports, owner, well);
    const { backlog } = await scene.health.readLatest(endpointId);
    expect(backlog).toMatchObject({ turn: 8, pass: 3 });
    expect(backlog).not.toHaveProperty('emptyAt');
  });

  test('throws when others are faster each time: the message comes back', async () => {
    const scene = await aScene();
    const health = { ...scene.health, replace: () => Promise.resolve(false) };
    await expect(raise({ ...scene.ports, health }, owner, well)).rejects.toThrow('changes at each look');
  });

  test.each([
    ['a first', undefined, aMessage()],
    ['a later', aDelivery(), aMessage({ attempt: 2 })],
  ])(
    'is written by %s message that comes back, when its function died between the row and that',
    async (...[, before, message]) => {
      const scene = await aScene();
      if (before !== undefined) await scene.ledger.record(before);
      await pause(scene, 10 * minuteMs);
      let deaths = 1;
      scene.settings.fateOf = ({ port }) =>
        port === 'replaceHealth' && deaths-- > 0 ? 'crash before' : undefined;
      await scene.sendMessage(message);
      await scene.step();
      expect(await rowsOf(scene)).toHaveLength(1);
      expect((await scene.health.readLatest(endpointId)).backlog).toBeUndefined();
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: message.attempt });
    },
  );
});
