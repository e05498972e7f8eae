import { describe, expect, test } from 'vitest';
import { expiryOf, isoTime } from '../../../../lambdas/shared/time.ts';
import { timeOfPlace } from '../../../../lambdas/shared/waiting.ts';
import { aDelivered, aDelivery, aDiscarded, anAttempt } from '../../../fakes/a-delivery.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anEvent } from '../../../fakes/an-event.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { eventIdOf } from '../../../fakes/ids.ts';
import { aScene, deadLetters, settle } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { one, rowsOf, toldOf, work } from '../crowd.ts';
import { aMessage } from '../../../fakes/a-message.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const never = { disableAfterHours: null };

// Seen: `discarded: expired` without a word.
describe('a delivery whose next attempt would come after its event has expired', () => {
  test('is dead, its letter falls, and people are told', async () => {
    const event = anEvent({ expiresAt: (testStartMs + 30 * minuteMs) / 1000 });
    const scene = await aScene({
      endpoint: anEndpoint({ policy: { retry: { initialBackoffSeconds: 3_600 } } }),
      event,
    });
    scene.receiver.answers(500);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'dead', attemptCount: 1, lastError: 'http_500' });
    expect(deadLetters(scene)).toMatchObject([{ dead: { attempts: 1, lastError: 'http_500' } }]);
    expect(toldOf(scene, 'delivery.dead')).toHaveLength(1);
  });

  test('is so too when the receiver asks for so much patience', async () => {
    const event = anEvent({ expiresAt: (testStartMs + 30 * minuteMs) / 1000 });
    const scene = await aScene({ event });
    scene.receiver.answers({ kind: 'response', status: 503, retryAfter: '7200' });
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'dead', lastError: 'http_503' });
    expect(deadLetters(scene)).toHaveLength(1);
  });

  test('is so of policies that were allowed each alone, and are longer together than events are kept', async () => {
    const organization = anOrganization({ policy: { retry: { maximumAttempts: 30 } } });
    const policy = { retry: { maximumBackoffSeconds: 86_400 }, circuitBreaker: null, ...never };
    const event = anEvent({ expiresAt: expiryOf(testStartMs, 14) });
    const scene = await aScene({ organization, endpoint: anEndpoint({ policy }), event });
    scene.receiver.always(500);
    await scene.start();
    await settle(scene);
    const { status, attemptCount } = await scene.delivery();
    expect(status).toBe('dead');
    expect(attemptCount).toBeGreaterThan(10);
    expect(attemptCount).toBeLessThan(30);
    expect(deadLetters(scene)).toHaveLength(1);
  });
});

async function endOf({ ledger }: Scene, name: string, timeMs: number): Promise<string | undefined> {
  return (await ledger.deliveries.get(anEndpoint().id, eventIdOf(name, Math.floor(timeMs))))?.status;
}

// Seen: messages of expired events went round for ever.
describe('an endpoint that is never switched off, and fails for days, with events of two days', () => {
  /** So many events a day for so many days. */
  async function days(scene: Scene, count: number, perDay: number): Promise<void> {
    for (let index = 0; index < count * perDay; index += 1) {
      const timeMs = Math.floor(testStartMs + (index * dayMs) / perDay);
      await work(scene, timeMs);
      const event = anEvent({ name: `event-${index}`, timeMs, expiresAt: expiryOf(timeMs, 2) });
      await scene.ledger.events.add(event);
      await scene.sendMessage(aMessage({ eventId: event.id }));
    }
  }

  test('has what has expired end while it fails on, whatever comes behind it', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: never }) });
    scene.receiver.always(500);
    await days(scene, 6, 16);
    await work(scene, testStartMs + 6 * dayMs);
    const rows = await rowsOf(scene);
    // All that is ahead of what still lives has ended; a row that was tried since stands further back.
    expect(rows.length).toBeLessThanOrEqual(2 * 16 + 48);
    expect(rows.every((row) => timeOfPlace(row) >= testStartMs + 4 * dayMs - 2 * hourMs)).toBe(true);
    expect(scene.queue.size()).toBeLessThanOrEqual(3);
    expect(scene.drains.size()).toBeLessThanOrEqual(1);
    const ended = await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        endOf(scene, `event-${index}`, testStartMs + (index * dayMs) / 16),
      ),
    );
    expect(ended.filter((status) => status === 'retrying')).toEqual([]);
  });

  test('has nothing left when no more events come: no row, no message, no backlog', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: never }) });
    scene.receiver.always(500);
    for (let index = 0; index < 30; index += 1) await one(scene, `event-${index}`);
    await work(scene);
    expect(await rowsOf(scene)).toEqual([]);
    expect([scene.queue.size(), scene.drains.size(), scene.falling.size()]).toEqual([0, 0, 0]);
    expect((await scene.health.readLatest(anEndpoint().id)).backlog).toBeUndefined();
    expect(scene.clock.now()).toBeLessThanOrEqual(testStartMs + 32 * dayMs);
  });
});

describe('what is past its time, though DynamoDB has not deleted it yet,', () => {
  const past = { expiresAt: testStartMs / 1000 - 60 };

  test.each([
    ['a delivered one', aDelivered(past)],
    ['a discarded one', aDiscarded(past)],
    ['one that was tried', aDelivery({ ...past, attemptCount: 4, owes: 'message' })],
  ])('hides no delivery of an event that is published again: %s', async (_, before) => {
    const scene = await aScene();
    await scene.ledger.record({ ...before, expiresAt: expiryOf(testStartMs, 1) });
    scene.clock.pass(2 * dayMs);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1, round: 1 });
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('and waits as a row is not brought back', async () => {
    const scene = await aScene();
    const place = { waiting: `ENDPOINT#${anEndpoint().id}`, waitingAt: `${isoTime(testStartMs)}#evt` };
    await scene.ledger.rewrite(aDelivery({ ...place, ...past }));
    expect(await rowsOf(scene)).toEqual([]);
  });
});

// Seen: attemptCount went from 2 to 1.
test('a discard that was decided before another attempt was recorded takes nothing back', async () => {
  const { ledger, delivery } = await aScene();
  const attempts = [anAttempt(), anAttempt({ number: 2 })];
  await ledger.record(aDelivery());
  await ledger.record(aDelivery({ attemptCount: 2, attempts }));
  expect(await ledger.rewrite(aDiscarded({ attemptCount: 1, attempts: [anAttempt()] }))).toBe('superseded');
  expect(await delivery()).toMatchObject({ status: 'retrying', attemptCount: 2, attempts });
});
