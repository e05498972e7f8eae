import { describe, expect, test } from 'vitest';
import { wake } from '../../../../lambdas/recovery/wake/wake.ts';
import type { WakePorts } from '../../../../lambdas/recovery/wake/wake.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { duePartitions } from '../../../../lambdas/shared/waiting.ts';
import { aDelivery } from '../../../fakes/a-delivery.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../../../fakes/ids.ts';
import { aWake, eventOf, hourMs, minuteMs } from './a-wake.ts';
import type { Scene } from './a-wake.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const idsOf = (all: readonly string[]) => all.map((name) => eventIdOf(name)).toSorted();
const sentIds = ({ sent }: Scene) => sent.map(eventOf).toSorted();
const lastLine = ({ journal }: Scene) => journal.lines.findLast(({ message }) => message === 'wake.done');

describe('a delivery that waits until a time', () => {
  test('is sent on within the minute before, and SQS keeps the second', async () => {
    const scene = aWake();
    await scene.wait('a', 30 * minuteMs + 12_345);
    await scene.runEachMinute(40);
    const dueMs = testStartMs + 30 * minuteMs + 12_345;
    expect(scene.sent).toMatchObject([{ atMs: testStartMs + 30 * minuteMs, delaySeconds: 13 }]);
    expect(scene.sent[0]?.message.notBefore).toBe(isoTime(dueMs));
  });

  test('asks for the next attempt of its round, with what the one before has met', async () => {
    const scene = aWake();
    await scene.wait('a', 30_000);
    await scene.run();
    const { organizationId, endpointId, eventType } = aDelivery();
    expect(scene.sent[0]?.message).toEqual({
      ...{ v: 1, organizationId, endpointId, eventId: eventIdOf('a'), eventType, round: 2, attempt: 4 },
      ...{ trigger: 'scheduled', lastError: 'timeout', notBefore: isoTime(testStartMs + 30_000) },
    });
  });

  test.each([
    ['before the minute ends', minuteMs - 1, 1],
    ['when it ends, which is for the next run', minuteMs, 0],
    ['long ago', -hourMs + 1, 1],
  ])('and is due %s, is sent on or not', async (_, ms, count) => {
    const scene = aWake();
    await scene.wait('a', ms);
    await scene.run();
    expect(scene.sent).toHaveLength(count);
  });

  test('is sent on once by many runs, with all others', async () => {
    const scene = aWake();
    for (const name of names(200)) await scene.wait(name, Number(name) * 7_919);
    await scene.runEachMinute(30);
    expect(sentIds(scene)).toEqual(idsOf(names(200)));
    for (const { message, delaySeconds, atMs } of scene.sent) {
      const dueMs = Date.parse(message.notBefore ?? '');
      expect(atMs + delaySeconds * 1_000 - Math.max(dueMs, atMs)).toBeGreaterThanOrEqual(0);
      expect(atMs + delaySeconds * 1_000 - Math.max(dueMs, atMs)).toBeLessThan(1_000);
    }
  });

  test('is sent on after those of its partition that were due before', async () => {
    const scene = aWake();
    for (const name of names(300).toReversed()) await scene.wait(name, Number(name) * 100);
    await scene.run();
    const known = await Promise.all(
      scene.sent.map(async ({ message: { eventId, notBefore } }) => ({
        due: notBefore,
        at: (await scene.ledger.deliveries.get(endpointIdOf('one'), eventId))?.waiting,
      })),
    );
    expect(known).toHaveLength(300);
    for (const own of Map.groupBy(known, ({ at }) => at).values())
      expect(own.map(({ due }) => due)).toEqual(own.map(({ due }) => due).toSorted());
  });

  test('is sent on with as many as there are: page after page', async () => {
    const scene = aWake();
    const all = names(9_000);
    for (const name of all) await scene.wait(name, Number(name));
    await scene.run();
    expect(sentIds(scene)).toEqual(idsOf(all));
  });

  test('and is past its time, is passed over', async () => {
    const scene = aWake();
    await scene.wait('a', 20 * minuteMs);
    scene.clock.pass(31 * 24 * hourMs);
    await scene.run();
    expect(scene.sent).toEqual([]);
  });
});

describe('a second look', () => {
  test('an hour later sends once more what is still there, and for hours no third time', async () => {
    const scene = aWake();
    await scene.wait('lost', 30 * minuteMs);
    await scene.runEachMinute(30 + 180);
    expect(scene.sent.map(({ atMs }) => atMs - testStartMs)).toEqual([30 * minuteMs, 91 * minuteMs]);
    expect(scene.sent[1]).toMatchObject({ delaySeconds: 0, message: { round: 2, attempt: 4 } });
  });

  test('begins anew every six hours: what has lost both messages is sent until its attempt is recorded', async () => {
    const scene = aWake();
    await scene.wait('lost', 30 * minuteMs);
    await scene.runEachMinute(13 * 60);
    const times = scene.sent.map(({ atMs }) => atMs - testStartMs);
    expect(times).toEqual([30 * minuteMs, 91 * minuteMs, 6 * hourMs, 12 * hourMs]);
    await scene.deliver('lost');
    await scene.runEachMinute(7 * 60);
    expect(scene.sent).toHaveLength(4);
  });

  test('brings its drain to an endpoint whose messages were both lost, too', async () => {
    const scene = aWake();
    await scene.raise('one', 30 * minuteMs);
    await scene.runEachMinute(7 * 60);
    expect(scene.started.map(({ atMs }) => atMs - testStartMs)).toContain(6 * hourMs);
  });

  test('sends nothing of what was attempted meanwhile', async () => {
    const scene = aWake();
    await scene.wait('a', 30 * minuteMs);
    await scene.runEachMinute(31);
    await scene.deliver('a');
    await scene.runEachMinute(180);
    expect(scene.sent).toHaveLength(1);
  });

  // A row is late there by design: for the operator that is no lateness of the lane.
  test('is no reason to say that what waits was found late', async () => {
    const scene = aWake();
    await scene.wait('lost', minuteMs);
    await scene.runEachMinute(180);
    const lates = scene.journal.lines.map(({ fields }) => fields['lateMs']);
    expect(new Set(lates)).toEqual(new Set([0]));
    expect(scene.sent).toHaveLength(2);
  });
});

describe('an endpoint whose rows are due', () => {
  test('is looked after by its drain, at its second, whatever step that is at', async () => {
    const scene = aWake();
    await scene.raise('one', 10 * minuteMs + 1_500);
    await scene.runEachMinute(20);
    const owner = { id: endpointIdOf('one'), organizationId: 'org_1' };
    expect(scene.started).toEqual([{ owner, delaySeconds: 2, atMs: testStartMs + 10 * minuteMs }]);
    expect(scene.sent).toEqual([]);
    expect(scene.journal.lines.map(({ fields }) => fields['drains'])).toContain(1);
  });

  test('is looked after once more an hour later, should that have been lost', async () => {
    const scene = aWake();
    await scene.raise('one', 10 * minuteMs);
    await scene.runEachMinute(180);
    expect(scene.started.map(({ atMs }) => atMs - testStartMs)).toEqual([10 * minuteMs, 71 * minuteMs]);
  });
});

describe('a run', () => {
  test('says what it has sent, and by how much the latest of it was late', async () => {
    const scene = aWake();
    await scene.run();
    expect(lastLine(scene)?.fields).toMatchObject({ sent: 0, drains: 0, lateMs: 0 });
    await scene.wait('a', 2 * minuteMs);
    await scene.wait('b', 3 * minuteMs);
    await scene.raise('one', 3 * minuteMs);
    scene.clock.pass(7 * minuteMs);
    await scene.run();
    expect(lastLine(scene)?.fields).toMatchObject({ sent: 2, drains: 1, lateMs: 5 * minuteMs });
  });

  test('is one at a time: another one leaves it alone until its lease is over', async () => {
    const scene = aWake();
    await scene.wait('a', 30_000);
    let inner: Promise<void> | undefined;
    const list: WakePorts['waiting']['list'] = async (...args) => {
      inner ??= wake(scene.ports);
      await inner;
      return scene.ledger.waiting.list(...args);
    };
    await wake({ ...scene.ports, waiting: { list } });
    expect(scene.sent).toHaveLength(1);
    expect(scene.journal.lines.filter(({ message }) => message === 'wake.done')).toHaveLength(1);
  });

  test.each([
    [54_999, 0],
    [55_000, 1],
  ])('whose function died is followed by another one %i ms later: %i', async (ms, count) => {
    const scene = aWake();
    await scene.wait('a', 30_000);
    const rounds = { ...scene.rounds, replace: diesAfter(1, scene.rounds.replace) };
    const dying = { ...scene.ports, rounds, send: () => Promise.reject(new Error('dead')) };
    await wake(dying).catch(() => undefined);
    scene.clock.pass(ms);
    await scene.run();
    expect(scene.sent).toHaveLength(count);
  });

  test('that has ended may be followed by another one at once', async () => {
    const scene = aWake();
    await scene.wait('a', 65_000);
    await scene.run();
    scene.clock.pass(10_000);
    await scene.run();
    expect(scene.sent).toHaveLength(1);
  });

  test('in which one partition cannot be read sends on what stands in all others, and that in the next', async () => {
    const scene = aWake();
    for (const name of names(100)) await scene.wait(name, 30_000);
    const [bad] = duePartitions;
    const list: WakePorts['waiting']['list'] = (stretch, countMax) =>
      stretch.partition === bad
        ? Promise.reject(new Error('throttled'))
        : scene.ledger.waiting.list(stretch, countMax);
    await wake({ ...scene.ports, waiting: { list } });
    const own = scene.sent.length;
    expect(own).toBeGreaterThan(80);
    expect(own).toBeLessThan(100);
    expect(scene.journal.lines.filter(({ message }) => message === 'wake.failed')).toMatchObject([
      { fields: { partition: bad, fault: 'Error' } },
      { fields: { partition: bad, fault: 'Error' } },
    ]);
    scene.clock.pass(minuteMs);
    await scene.run();
    expect(sentIds(scene)).toEqual(idsOf(names(100)));
  });

  test('in which one message cannot be sent sends that page again in the next', async () => {
    const scene = aWake();
    for (const name of names(50)) await scene.wait(name, 30_000);
    let sends = 0;
    const send: WakePorts['send'] = (...args) =>
      (sends += 1) === 7 ? Promise.reject(new Error('SQS is away')) : scene.ports.send(...args);
    await wake({ ...scene.ports, send });
    scene.clock.pass(minuteMs);
    await scene.run();
    expect(new Set(sentIds(scene))).toEqual(new Set(idsOf(names(50))));
  });

  test('whose time is up leaves the rest to the next one', async () => {
    const scene = aWake();
    const all = names(3_000);
    for (const name of all) await scene.wait(name, Number(name));
    let looks = 0;
    // One partition gets its first page, and some of the others.
    await wake({ ...scene.ports, remainingMs: () => ((looks += 1) <= 10 ? 60_000 : 15_000) });
    expect(scene.sent.length).toBeGreaterThan(0);
    expect(scene.sent.length).toBeLessThan(3_000);
    scene.clock.pass(minuteMs);
    await scene.run();
    expect(sentIds(scene)).toEqual(idsOf(all));
  });

  test('that is missing for hours costs its lateness, and nothing else', async () => {
    const scene = aWake();
    for (const name of names(30)) await scene.wait(name, Number(name) * 10 * minuteMs);
    await scene.run();
    scene.clock.pass(6 * hourMs);
    await scene.run();
    expect(new Set(sentIds(scene))).toEqual(new Set(idsOf(names(30))));
  });
});

/** Makes so many calls, and then dies before each. */
function diesAfter<Args extends unknown[], Value>(calls: number, make: (...args: Args) => Promise<Value>) {
  let left = calls;
  return (...args: Args): Promise<Value> => (left-- > 0 ? make(...args) : Promise.reject(new Error('dead')));
}
