import { describe, expect, test } from 'vitest';
import type { Attempt } from '../../../lambdas/delivery/attempt-record.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { settle, settleLate } from '../../../lambdas/delivery/settle.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDelivered, aDelivery, anAttempt } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene } from './a-scene.ts';
import type { Scene } from './a-scene.ts';

const minuteMs = 60_000;

/** A message whose attempt has been made, and is to be followed after so long. */
function anAttempted(
  made: Attempt,
  { waitMs, ...given }: Partial<DeliveryMessage> & { waitMs?: number } = {},
) {
  const next = waitMs === undefined ? {} : { nextAttemptAt: isoTime(testStartMs + waitMs) };
  return { ...aMessage({ attempt: made.number, round: made.round, ...given }), outcome: { made, ...next } };
}

const next = ({ queue }: Scene) => queue.waiting().map(({ body }) => readMessage(body));
const success = anAttempt({ outcome: 'delivered', statusCode: 200 });

describe('an attempt that is recorded', () => {
  test('as the first one begins the record, with all that follows from it', async () => {
    const scene = await aScene();
    const made = anAttempt();
    await settle(scene.ports, anAttempted(made, { waitMs: 5_000 }), undefined);
    expect(await scene.delivery()).toMatchObject({
      ...{ status: 'retrying', round: 1, roundStart: 0, attemptCount: 1, attempts: [made] },
      ...{ lastError: 'http_500', nextAttemptAt: isoTime(testStartMs + 5_000) },
    });
    expect(next(scene)).toMatchObject([{ attempt: 2, notBefore: isoTime(testStartMs + 5_000) }]);
  });

  test.each([
    [15 * minuteMs, 0, 1],
    [15 * minuteMs + 1, 1, 0],
  ])('and is followed after %i ms has %i place and %i message', async (waitMs, places, messages) => {
    const scene = await aScene();
    await settle(scene.ports, anAttempted(anAttempt(), { waitMs }), undefined);
    const { waiting, waitingAt } = await scene.delivery();
    expect([waiting, waitingAt].filter((part) => part !== undefined)).toHaveLength(2 * places);
    expect(next(scene)).toHaveLength(messages);
  });

  test('takes its row out of those that wait', async () => {
    const scene = await aScene();
    const place = { waiting: `ENDPOINT#${aMessage().endpointId}`, waitingAt: isoTime(testStartMs) };
    const before = aDelivery({ ...place, attemptCount: 0, attempts: [], trigger: 'manual' });
    await scene.ledger.rewrite(before);
    await settle(scene.ports, anAttempted(success, { pass: 1 }), before);
    const delivery = await scene.delivery();
    expect(delivery).toMatchObject({ status: 'delivered', attemptCount: 1 });
    for (const gone of ['waiting', 'waitingAt', 'trigger', 'nextAttemptAt'])
      expect(delivery).not.toHaveProperty(gone);
  });

  test('opens its round, and counts on from what was recorded', async () => {
    const scene = await aScene();
    const before = aDelivered({ attemptCount: 4 });
    await scene.ledger.record(before);
    const made = anAttempt({ number: 5, round: 2, trigger: 'manual' });
    await settle(scene.ports, anAttempted(made, { trigger: 'manual', waitMs: 5_000 }), before);
    expect(await scene.delivery()).toMatchObject({ round: 2, roundStart: 4, attemptCount: 5 });
  });

  test('keeps the beginning of the answer', async () => {
    const scene = await aScene();
    await settle(scene.ports, anAttempted({ ...success, responseBody: 'thanks' }), undefined);
    expect((await scene.delivery()).attempts[0]?.responseBody).toBe('thanks');
  });
});

describe('an attempt whose number somebody else has taken', () => {
  test('in the round before gets the next number, and its round goes on', async () => {
    const scene = await aScene();
    await scene.ledger.record(aDelivery({ owes: 'nothing' }));
    const overtaken = aDelivery({ attemptCount: 2, attempts: [anAttempt(), anAttempt({ number: 2 })] });
    await scene.ledger.record({ ...overtaken, owes: 'nothing' });
    const made = anAttempt({ number: 2, round: 2, trigger: 'manual' });
    await settle(scene.ports, anAttempted(made, { trigger: 'manual', waitMs: 5_000 }), aDelivery());
    const { attempts, ...delivery } = await scene.delivery();
    expect(delivery).toMatchObject({ round: 2, roundStart: 2, attemptCount: 3 });
    expect(attempts.map(({ number, round }) => [number, round])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
    expect(next(scene)).toMatchObject([{ attempt: 4, round: 2 }]);
  });

  test.each([
    ['in its own round, by a copy,', aDelivery({ owes: 'nothing' })],
    ['in a later round', aDelivery({ round: 2, owes: 'nothing' })],
    ['by the end of it', aDelivered()],
  ])('%s is recorded by nobody twice, and followed by him alone', async (_, there) => {
    const scene = await aScene();
    await scene.ledger.record(there);
    const made = anAttempt({ at: isoTime(testStartMs + 7) });
    await settle(scene.ports, anAttempted(made, { waitMs: 5_000 }), undefined);
    expect((await scene.delivery()).attempts).toEqual(there.attempts);
    expect(next(scene)).toEqual([]);
  });
});

describe('an outcome that has travelled', () => {
  test('is recorded as it was, though later', async () => {
    const scene = await aScene();
    scene.clock.pass(30 * minuteMs);
    await settleLate(scene.ports, anAttempted(success));
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attempts: [{ at: success.at }] });
  });

  test('whose next attempt should have been made by now has it made at once', async () => {
    const scene = await aScene();
    scene.clock.pass(30 * minuteMs);
    await settleLate(scene.ports, anAttempted(anAttempt(), { waitMs: 5_000 }));
    expect(scene.queue.nextAtMs()).toBe(scene.clock.now());
  });

  test('and was recorded before it did is only followed', async () => {
    const scene = await aScene();
    await scene.ledger.record(aDelivery({ owes: 'message' }));
    scene.clock.pass(minuteMs);
    await settleLate(scene.ports, anAttempted(anAttempt(), { waitMs: 5_000 }));
    expect(await scene.delivery()).toMatchObject({ attemptCount: 1, owes: 'nothing' });
    expect(next(scene)).toMatchObject([{ attempt: 2 }]);
  });

  test('and was recorded and followed before is done', async () => {
    const scene = await aScene();
    await scene.ledger.record(aDelivery({ owes: 'nothing' }));
    await settleLate(scene.ports, anAttempted(anAttempt(), { waitMs: 5_000 }));
    expect(next(scene)).toEqual([]);
  });

  test('is put off again while the ledger cannot be read, and keeps what it is', async () => {
    const scene = await aScene();
    const ports = { ...scene.ports, readKnown: () => Promise.reject(new Error('throttled')) };
    await settleLate(ports, anAttempted(success, { putOff: 2 }));
    expect(next(scene)).toMatchObject([{ putOff: 3, outcome: { made: { outcome: 'delivered' } } }]);
  });
});
