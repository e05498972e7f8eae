import { describe, expect, test } from 'vitest';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { follow, nextMessage } from '../../../lambdas/delivery/follow.ts';
import type { FollowPorts } from '../../../lambdas/delivery/follow.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryLog } from '../../fakes/log.ts';

/** What is done for a record, in its order, and the messages; a port that is broken throws. */
async function followed(delivery: Delivery, broken?: keyof FollowPorts) {
  const done: string[] = [];
  const sent: { message: DeliveryMessage; delaySeconds?: number }[] = [];
  const { log, lines } = memoryLog();
  const act = (name: keyof FollowPorts, effect: () => void = () => undefined) => {
    if (name === broken) return Promise.reject(new Error(`${name} is broken`));
    done.push(name);
    effect();
    return Promise.resolve();
  };
  const ports: FollowPorts = {
    send: (message, delaySeconds) => act('send', () => sent.push({ message, delaySeconds })),
    bury: (message) => act('bury', () => sent.push({ message })),
    announce: () => act('announce'),
    strikeOff: () => act('strikeOff'),
    now: aClock(testStartMs + 1_000).now,
    log,
  };
  const fault = await follow(ports, delivery).catch((thrown: unknown) => thrown);
  return { done, sent, fault, lines };
}

describe('a record that owes the next message', () => {
  const owing = aDelivery({ owes: 'message' });

  test('has it sent for its time, then strikes it off', async () => {
    const { done, sent } = await followed(owing);
    expect(done).toEqual(['send', 'strikeOff']);
    const message = { ...aMessage({ attempt: 2, lastError: 'http_500' }), notBefore: owing.nextAttemptAt };
    expect(sent).toEqual([{ message, delaySeconds: 4 }]);
  });

  test('has it sent at once when its time has passed', async () => {
    const late = { ...owing, nextAttemptAt: isoTime(testStartMs - 60_000) };
    expect((await followed(late)).sent[0]?.delaySeconds).toBe(0);
  });

  test('owes it still when it cannot be sent', async () => {
    const { done, fault } = await followed(owing, 'send');
    expect(done).toEqual([]);
    expect(fault).toBeInstanceOf(Error);
  });

  test('is no fault when only the striking off fails: it is sent', async () => {
    const { done, fault, lines } = await followed(owing, 'strikeOff');
    expect([done, fault]).toEqual([['send'], undefined]);
    expect(lines.map(({ message }) => message)).toEqual(['delivery.unstruck']);
  });
});

describe('a record that owes a dead letter', () => {
  const owing = aDead({ owes: 'letter', attemptCount: 10 });

  test('has the death told before its letter falls: who dies after that has nothing that brings him back', async () => {
    const { done, sent } = await followed(owing);
    expect(done).toEqual(['announce', 'bury', 'strikeOff']);
    const dead = { at: isoTime(testStartMs + 1_000), attempts: 10, lastError: 'http_500' };
    expect(sent).toEqual([{ message: aMessage({ attempt: 10, lastError: 'http_500', dead }) }]);
  });

  test.each(['announce', 'bury'] as const)('owes it still when %s fails', async (broken) => {
    const { done, fault } = await followed(owing, broken);
    expect(done).not.toContain('strikeOff');
    expect(fault).toBeInstanceOf(Error);
  });
});

test.each([
  ['has struck off what it owed', aDelivery({ owes: 'nothing' })],
  ['is delivered', aDelivered()],
  ['is discarded', aDiscarded()],
  ['waits as a row', aDelivery({ waiting: 'DUE#03', waitingAt: `${isoTime(testStartMs)}#x` })],
])('a record that %s is followed by nothing', async (_, delivery) => {
  expect((await followed(delivery)).done).toEqual([]);
});

test('the message for the next attempt is of the round, and counts on', () => {
  const delivery = aDelivery({ round: 3, attemptCount: 12, lastError: 'timeout' });
  expect(nextMessage(delivery)).toEqual(aMessage({ round: 3, attempt: 13, lastError: 'timeout' }));
});
