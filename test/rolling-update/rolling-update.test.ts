import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { readMessage } from '../../lambdas/delivery/message.ts';
import { health, well } from '../../lambdas/endpoint/health/health.ts';
import { healthKey } from '../../lambdas/endpoint/health/store.ts';
import { deliveryKey } from '../../lambdas/delivery/key.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { aMessage } from '../fakes/a-message.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { testStartMs } from '../fakes/clock.ts';
import { aScene, deadLetters, settle } from '../lambdas/delivery/a-scene.ts';
import type { Scene } from '../lambdas/delivery/a-scene.ts';
import { deliveryBefore, healthBefore, messageBefore } from './version-before.ts';

const at = isoTime(testStartMs);
const { organizationId, endpointId, eventId, eventType } = aMessage();
const ids = { organizationId, endpointId, eventId, eventType };

/** A message as the version before has sent it. */
function sentBefore(scene: Scene, more: object, delaySeconds = 0): Promise<void> {
  const body = JSON.stringify({ v: 1, ...ids, attempt: 1, round: 1, trigger: 'scheduled', ...more });
  messageBefore.parse(JSON.parse(body));
  return scene.queue.send({ body, delaySeconds, groupId: endpointId });
}

const failed = { number: 1, round: 1, trigger: 'scheduled', at, durationMs: 20, outcome: 'retry' } as const;

/** A record as the version before has written it: it says neither where it waits nor what it owes. */
async function recordedBefore({ ledger }: Scene, more: object): Promise<void> {
  const { client, ledger: TableName } = ledger.tables;
  const record = {
    ...ids,
    status: 'retrying',
    round: 1,
    roundStart: 0,
    attemptCount: 1,
    attempts: [{ ...failed, code: 'http_500', statusCode: 500 }],
    lastError: 'http_500',
    nextAttemptAt: isoTime(testStartMs + 5_000),
    updatedAt: at,
    expiresAt: Math.ceil(testStartMs / 1000) + 30 * 86_400,
    ...more,
  };
  deliveryBefore.parse(record);
  const Item = {
    ...deliveryKey(endpointId, eventId),
    ...record,
    statusKey: `ORG#${organizationId}#retrying`,
  };
  await client.send(new PutCommand({ TableName, Item }));
}

describe('what the version before has sent and written is taken further by this one', () => {
  test.each([
    ['a first message', {}],
    ['one that has waited for its endpoint, and hops', { notBefore: at }],
    ['one with a slot that its endpoint’s pace has given it', { notBefore: at, paced: true }],
    ['one that was received before', { again: true }],
    ['one that somebody has asked for', { trigger: 'manual' }],
  ])('%s is delivered', async (_name, more) => {
    const scene = await aScene();
    await sentBefore(scene, more);
    await settle(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('a wait of hours, as a chain of hops, ends in its attempt', async () => {
    const scene = await aScene();
    await recordedBefore(scene, { nextAttemptAt: isoTime(testStartMs + 7_200_000) });
    await sentBefore(scene, { attempt: 2, notBefore: isoTime(testStartMs + 7_200_000) }, 900);
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
    expect(scene.receiver.requests.map(({ atMs }) => atMs)).toEqual([testStartMs + 7_200_000]);
  });

  test('a record whose next message was perhaps never sent is followed by the message that comes back', async () => {
    const scene = await aScene();
    await recordedBefore(scene, {});
    await sentBefore(scene, { again: true });
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });

  test('the dead that fall out of a lane fall through their own queue, and lie where they did', async () => {
    const scene = await aScene();
    await recordedBefore(scene, { status: 'dead', attemptCount: 1 });
    await sentBefore(scene, { lastError: 'http_500', dead: { at, attempts: 1, lastError: 'http_500' } });
    await settle(scene);
    expect(deadLetters(scene)).toMatchObject([{ eventId, dead: { attempts: 1 } }]);
    expect(scene.receiver.requests).toEqual([]);
  });

  test('a letter of the version before that is redriven opens a new round', async () => {
    const scene = await aScene();
    await recordedBefore(scene, { status: 'dead', attemptCount: 1 });
    scene.clock.pass(3_600_000);
    await sentBefore(scene, { lastError: 'http_500', dead: { at, attempts: 1, lastError: 'http_500' } });
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2 });
  });

  test('health with a pause, a slow lane and something unsaid is read, and written over', async () => {
    const scene = await aScene();
    const { client, ledger: TableName } = scene.ledger.tables;
    const before = healthBefore.parse({
      ...{ version: 4, failures: 10, failingSince: at, lastFailureAt: at, warned: 0, slowUntil: at },
      pause: { since: at, until: isoTime(testStartMs + 60_000), seconds: 60, cause: 'failures' },
      unsaid: [{ kind: 'paused', at, reason: 'failures' }],
      sayAfter: at,
    });
    await client.send(new PutCommand({ TableName, Item: { ...healthKey(endpointId), ...before } }));
    await scene.start();
    await settle(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.announced.map(({ detailType }) => detailType)).toContain('endpoint.resumed');
    expect((await scene.health.readLatest(endpointId)).pause).toBeUndefined();
  });
});

describe('what this version sends and writes is read by the one before', () => {
  test('every message of a delivery that fails, waits, is brought back and dies', async () => {
    const endpoint = anEndpoint({ policy: { rateLimitPerSecond: 1, retry: { maximumAttempts: 3 } } });
    const scene = await aScene({ endpoint });
    scene.receiver.always(500);
    await scene.start();
    await settle(scene);
    const bodies = [...scene.queue.sent, ...scene.falling.sent].map(({ body }) => body);
    expect(bodies.length).toBeGreaterThan(3);
    for (const body of bodies) {
      expect(messageBefore.safeParse(JSON.parse(body)).success).toBe(true);
      expect(readMessage(body)).toBeDefined();
    }
  });

  test('a row that waits, for its endpoint and for a time, and the health that says so', async () => {
    const scene = await aScene();
    const pause = {
      since: at,
      until: isoTime(testStartMs + 600_000),
      seconds: 60,
      cause: 'failures' as const,
    };
    await scene.health.replace(endpointId, well, { ...well, pause });
    await scene.start();
    await scene.step();
    const { client, ledger: TableName } = scene.ledger.tables;
    const read = async (Key: object) =>
      (await client.send(new GetCommand({ TableName, Key: { ...Key } }))).Item;
    expect(deliveryBefore.parse(await read(deliveryKey(endpointId, eventId)))).toMatchObject({
      status: 'retrying',
      attemptCount: 0,
    });
    const written = await read(healthKey(endpointId));
    expect(healthBefore.parse(written).pause).toEqual(pause);
    expect(health.parse(written).backlog).toBeDefined();
  });
});
