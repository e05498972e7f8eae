import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, deadLetters, settle } from './a-scene.ts';
import { endpointId, pausedUntil, set } from './crowd.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const impatient = { retry: { maximumAttempts: 2 } };
const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 600 };
const often = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 30 };
const fragile = anEndpoint({ policy: { circuitBreaker: breaker, disableAfterHours: null, retry: often } });

describe('while the bus takes nothing', () => {
  test('a dead delivery’s letter waits for it and is not lost, and people are told then', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.settings.fateOf = ({ port }) => (port === 'announce' ? 'fault before' : undefined);
    scene.receiver.answers(500);
    await scene.start();
    while (scene.clock.now() < testStartMs + 6 * hourMs) {
      if (!(await scene.step())) throw new Error('the delivery has no message any more');
    }
    expect((await scene.delivery()).status).toBe('dead');
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(deadLetters(scene)).toMatchObject([{ dead: { attempts: 1, lastError: 'http_500' } }]);
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual(['delivery.dead']);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('a letter that had to wait can be redriven as any other', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.settings.fateOf = ({ port }) => (port === 'announce' ? 'fault before' : undefined);
    scene.receiver.answers(500, 200);
    await scene.start();
    for (let hold = 0; hold < 30; hold += 1) await scene.step();
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    scene.clock.pass(hourMs);
    scene.falling.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 2 });
  });

  test('deliveries that succeed and those that are tried again go on', async () => {
    const scene = await aScene({ fateOf: ({ port }) => (port === 'announce' ? 'fault before' : undefined) });
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 3 });
  });
});

describe('a fault of ours', () => {
  test.each([
    ['readRecipient', 'configuration_unavailable'],
    ['readKnown', 'ledger_unavailable'],
    ['prepare', 'signing_unavailable'],
  ] as const)('in %s spends no attempt, posts nothing and holds for about a minute', async (port, code) => {
    const scene = await aScene({ fateOf: (call) => (call.port === port ? 'fault before' : undefined) });
    await scene.start();
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    const [, held] = scene.queue.sent;
    expect(held?.delaySeconds).toBeGreaterThanOrEqual(48);
    expect(held?.delaySeconds).toBeLessThanOrEqual(72);
    expect(readMessage(held?.body ?? '')).toMatchObject({ attempt: 1, round: 1, trigger: 'scheduled' });
    expect(scene.journal.lines).toContainEqual({
      message: 'delivery.held',
      fields: expect.objectContaining({ code, fault: 'ThrottlingException' }) as unknown,
    });
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  test('that lasts for six hours drains nothing into the dead-letter queue and spends no budget (I11)', async () => {
    const endpoint = anEndpoint({ policy: impatient });
    const scene = await aScene({ endpoint });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    scene.settings.fateOf = ({ port }) => (port === 'prepare' ? 'fault before' : undefined);
    while (scene.clock.now() < testStartMs + 6 * hourMs) {
      if (!(await scene.step())) throw new Error('the delivery has no message any more');
    }
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });

  test('that keeps a delivery from being put off leaves the message to SQS', async () => {
    const scene = await aScene({
      fateOf: ({ port }) => (port === 'prepare' || port === 'send' ? 'fault before' : undefined),
    });
    await scene.start();
    await scene.step();
    expect(scene.queue.size()).toBe(1);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  test('after the POST keeps the outcome: posted once, recorded once', async () => {
    let faults = 1;
    const scene = await aScene({
      fateOf: ({ port }) => (port === 'record' && faults-- > 0 ? 'fault before' : undefined),
    });
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  test('with the secret never lets a request go out unsigned', async () => {
    const scene = await aScene();
    scene.configuration.set(anEndpoint({ secretVersions: [{ id: 'lost', createdAt: scene.clock.iso() }] }));
    await scene.start();
    for (let hold = 0; hold < 10; hold += 1) await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    scene.configuration.set(anEndpoint());
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('a stored body that was damaged is never sent', async () => {
    const event = anEvent();
    if (event.body !== undefined) event.body.sha256 = 'another';
    const scene = await aScene({ event });
    await scene.start();
    for (let hold = 0; hold < 10; hold += 1) await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
  });

  // A receiver with a slow clock refuses what is late already.
  test('a secret that is slow to come does not make the timestamp old (I4)', async () => {
    const scene = await aScene();
    const { readSecret } = scene.secrets;
    scene.secrets.readSecret = (name, versionId) => {
      scene.clock.pass(8_000);
      return readSecret(name, versionId);
    };
    await scene.start();
    await settle(scene);
    const [request] = scene.receiver.requests;
    const lateMs = (request?.atMs ?? 0) - Number(request?.headers['webhook-timestamp']) * 1000;
    expect(lateMs).toBeLessThanOrEqual(2_000);
  });
});

describe('a fault of ours with the health', () => {
  const paced = { rateLimitPerSecond: 0.01 };

  test.each([
    ['readHealth', anEndpoint(), well],
    ['replaceHealth', anEndpoint(), pausedUntil(testStartMs)],
    ['take', anEndpoint({ policy: paced }), well],
  ] as const)(
    'in %s holds, ever longer up to a quarter of an hour, posts nothing and spends no attempt',
    async (port, endpoint, health) => {
      const scene = await aScene({ endpoint });
      await set(scene, health);
      scene.settings.fateOf = (call) => (call.port === port ? 'fault before' : undefined);
      await scene.start();
      for (let hold = 0; hold < 20; hold += 1) {
        await scene.step();
        const seconds = Math.min(900, 60 * 2 ** hold);
        expect(scene.queue.sent.at(-1)?.delaySeconds).toBeGreaterThanOrEqual(Math.floor(0.8 * seconds));
        expect(scene.queue.sent.at(-1)?.delaySeconds).toBeLessThanOrEqual(Math.min(900, 1.2 * seconds + 1));
      }
      expect(scene.receiver.requests).toEqual([]);
      expect(scene.journal.lines).toContainEqual({
        message: 'delivery.held',
        fields: expect.objectContaining({ code: 'ledger_unavailable' }) as unknown,
      });
      scene.settings.fateOf = () => undefined;
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    },
  );

  test('after an attempt keeps no delivery from its end, and a later attempt tells the same', async () => {
    const scene = await aScene({
      endpoint: fragile,
      fateOf: ({ port }) => (port === 'replaceHealth' ? 'fault before' : undefined),
    });
    scene.receiver.answers(500, 500, 500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 4 });
    expect(scene.journal.lines).toContainEqual({
      message: 'health.unnoted',
      fields: expect.objectContaining({ endpointId, fault: 'ThrottlingException' }) as unknown,
    });
    expect(await scene.health.readLatest(endpointId)).toEqual(well);
  });

  test('is none when what was remembered is old: the attempt is noted over what is there', async () => {
    const scene = await aScene({ endpoint: fragile });
    await set(scene, {
      failures: 1,
      failingSince: isoTime(testStartMs),
      lastFailureAt: isoTime(testStartMs),
    });
    scene.health.read = () => Promise.resolve(well);
    scene.receiver.answers(500);
    await scene.start();
    await scene.step();
    expect(await scene.health.readLatest(endpointId)).toMatchObject({ failures: 2, pause: { seconds: 60 } });
  });

  test('that others are faster each time is no fault, and no delivery is the worse for it', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.health.replace = () => Promise.resolve(false);
    scene.receiver.answers(500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });
});
