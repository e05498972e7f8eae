import { describe, expect, test } from 'vitest';
import { hold, lastingFaults } from '../../../lambdas/delivery/hold.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anAttempt } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryLog } from '../../fakes/log.ts';

const fault = new Error('the table throttles');

/** A message that is put off, for the fault of a moment; gives what was sent, and after how long it comes. */
async function heldOf(message: DeliveryMessage, chance = 0.5) {
  const { log, lines } = memoryLog();
  const sent: { message: DeliveryMessage; delaySeconds: number }[] = [];
  const ports = {
    send: (held: DeliveryMessage, delaySeconds: number) => {
      sent.push({ message: held, delaySeconds });
      return Promise.resolve();
    },
    now: aClock().now,
    random: () => chance,
    log,
  };
  await hold(ports, message, { code: 'ledger_unavailable', fault });
  const [only, ...others] = sent;
  if (only === undefined || others.length > 0) throw new Error('one message is sent');
  return { ...only, lines };
}

describe('a delivery that is put off', () => {
  test.each([
    [0, 60],
    [1, 120],
    [2, 240],
    [3, 480],
    [4, 900],
    [5, 900],
    [400, 900],
  ])('for the %i. time in a row waits %i s', async (putOff, seconds) => {
    const { message, delaySeconds } = await heldOf(aMessage({ putOff }));
    expect(delaySeconds).toBe(seconds);
    expect(message).toEqual(
      aMessage({ putOff: putOff + 1, notBefore: isoTime(testStartMs + seconds * 1_000) }),
    );
  });

  test('comes a fifth sooner or later than others, so that they do not come together', async () => {
    expect((await heldOf(aMessage(), 0)).delaySeconds).toBe(48);
    expect((await heldOf(aMessage(), 0.999)).delaySeconds).toBe(72);
    expect((await heldOf(aMessage({ putOff: 9 }), 0.999)).delaySeconds).toBe(900);
  });

  test('has waited for a quarter of an hour when its fault counts as lasting', async () => {
    let seconds = 0;
    for (let putOff = 0; putOff < lastingFaults; putOff += 1) {
      seconds += (await heldOf(aMessage({ putOff }))).delaySeconds;
    }
    expect(seconds).toBe(900);
  });

  test('keeps all that it is: its pass, its round, its outcome', async () => {
    const made = anAttempt({ number: 7, round: 2, trigger: 'manual' });
    const all = aMessage({ round: 2, attempt: 7, trigger: 'manual', pass: 4, outcome: { made } });
    expect((await heldOf(all)).message).toMatchObject(all);
  });

  test('says in a line what did not work, and how often', async () => {
    const { lines } = await heldOf(aMessage({ putOff: 2 }));
    const said = { code: 'ledger_unavailable', fault: 'Error', putOff: 2, attempt: 1, round: 1 };
    expect(lines).toEqual([{ message: 'delivery.held', fields: expect.objectContaining(said) as unknown }]);
  });

  test('is left to SQS when it cannot be sent', async () => {
    const ports = {
      send: () => Promise.reject(new Error('SQS takes nothing')),
      now: aClock().now,
      random: () => 0.5,
      log: memoryLog().log,
    };
    await expect(hold(ports, aMessage(), { code: 'bus_unavailable', fault })).rejects.toThrow('SQS takes');
  });
});
