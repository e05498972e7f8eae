import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../../lambdas/delivery/message.ts';
import { outgoingDrain } from '../../../../lambdas/endpoint/health/drain-message.ts';
import { healthKey } from '../../../../lambdas/endpoint/health/store.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { eventIdOf } from '../../../fakes/ids.ts';
import { aDrain, backlogOf, idsOf, isOver, names, parkedRow, postedIds } from './a-drain.ts';
import type { Scene } from './a-drain.ts';

const minuteMs = 60_000;
const pausedFor = (ms: number) => ({
  pause: {
    since: isoTime(testStartMs),
    until: isoTime(testStartMs + ms),
    seconds: 60,
    cause: 'failures' as const,
  },
});
const messagesOf = ({ retries }: Scene) => retries.sent.map(({ body }) => readMessage(body));

describe('what waits for an endpoint', () => {
  test('is brought back, the oldest first, each once; then nobody comes any more', async () => {
    const scene = aDrain();
    for (const name of names(30)) {
      await scene.park(name);
      scene.clock.pass(10);
    }
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(names(30)));
    expect(scene.retries.sent).toHaveLength(30);
    expect(await isOver(scene)).toBe(true);
  });

  test('keeps its place until its attempt is recorded, and its message says by which pass it came', async () => {
    const scene = aDrain();
    await scene.park('a');
    scene.settings.lane = 'keeps';
    await scene.run(testStartMs + minuteMs);
    const row = parkedRow(testStartMs, 'a');
    expect(await scene.ledger.deliveries.get(row.endpointId, row.eventId)).toEqual(row);
    const { eventId, eventType, endpointId, organizationId } = row;
    expect(messagesOf(scene)).toMatchObject([
      { eventId, eventType, endpointId, organizationId, round: 1, attempt: 1, pass: 2, trigger: 'scheduled' },
    ]);
  });

  test('is not looked for while it is so young that the index may lack its neighbour', async () => {
    const scene = aDrain();
    await scene.park('a');
    scene.clock.pass(1_999);
    await scene.drains.send(outgoingDrain(scene.owner, (await scene.latest()).backlog?.turn, 0));
    for (const record of scene.drains.receive(1)) await scene.invoke(record);
    expect(scene.retries.sent).toEqual([]);
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(['a']));
  });

  test('is brought back page by page, as many as there are', async () => {
    const scene = aDrain();
    await scene.parkMany(7_500);
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(names(7_500)));
    const steps = scene.journal.lines.filter(({ message }) => message === 'backlog.stepped');
    expect(steps.map(({ fields }) => fields['sent'])).toEqual(expect.arrayContaining([5_000, 2_500]));
  });

  test('of an endpoint that is deleted ends at no pace, and the endpoint is forgotten', async () => {
    const scene = aDrain({ perSecond: 1 });
    await scene.parkMany(500);
    await scene.configuration.endpoints.remove('org_1', scene.owner.id);
    await scene.run(testStartMs + 10_000);
    expect(scene.retries.sent).toHaveLength(500);
    await scene.run();
    expect(await isOver(scene)).toBe(true);
    const get = new GetCommand({ TableName: scene.tables.ledger, Key: healthKey(scene.owner.id) });
    expect((await scene.tables.client.send(get)).Item).toHaveProperty('expiresAt');
  });

  test('of an endpoint that is switched off comes at once, to be discarded', async () => {
    const scene = aDrain({ perSecond: 1 });
    await scene.parkMany(50);
    scene.configuration.set(anEndpoint({ active: false, policy: { rateLimitPerSecond: 1 } }));
    await scene.run(testStartMs + 10_000);
    expect(scene.retries.sent).toHaveLength(50);
  });
});

describe('a turn', () => {
  const copies = async (scene: Scene, count: number) => {
    const turn = (await scene.latest()).backlog?.turn;
    for (let copy = 0; copy < count; copy += 1) await scene.drains.send(outgoingDrain(scene.owner, turn, 3));
    scene.clock.pass(3_000);
  };

  test('is taken by one of many messages that name it, one after the other or all at once', async () => {
    for (const isAtOnce of [false, true]) {
      const scene = aDrain();
      await scene.park('a', 'b');
      await copies(scene, 5);
      const records = scene.drains.receive(6);
      if (isAtOnce) await Promise.all(records.map(scene.invoke));
      else for (const record of records) await scene.invoke(record);
      expect(scene.retries.sent).toHaveLength(2);
      expect(scene.drains.size()).toBe(1);
    }
  });

  test('that was taken is not taken again, however late a message comes', async () => {
    const scene = aDrain();
    await scene.park('a');
    await copies(scene, 1);
    const [first, late] = scene.drains.receive(2);
    if (first === undefined || late === undefined) throw new Error('two');
    await scene.invoke(first);
    scene.clock.pass(minuteMs);
    await scene.invoke(late);
    expect(scene.retries.sent).toHaveLength(1);
    expect((await scene.latest()).backlog?.turn).toBe(1);
  });

  test('is taken by whoever comes every minute only when its time has come', async () => {
    const scene = aDrain();
    await scene.park('a');
    scene.clock.pass(2_500);
    const byTime = outgoingDrain(scene.owner, undefined, 0);
    await scene.setHealth({
      ...pausedFor(600_000),
      backlog: { ...(await backlogOf(scene)), dueAt: isoTime(testStartMs + minuteMs) },
    });
    for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    await scene.drains.send(byTime);
    for (const record of scene.drains.receive(1)) await scene.invoke(record);
    expect((await backlogOf(scene)).turn).toBe(0);
    scene.clock.passTo(testStartMs + minuteMs);
    await scene.drains.send(byTime);
    for (const record of scene.drains.receive(1)) await scene.invoke(record);
    expect((await backlogOf(scene)).turn).toBe(1);
  });

  test('is taken by one of two who come at the same moment because its time has come', async () => {
    const scene = aDrain();
    await scene.park('a', 'b');
    for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    scene.clock.pass(3_000);
    for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    for (let copy = 0; copy < 2; copy += 1) await scene.drains.send(outgoingDrain(scene.owner, undefined, 0));
    const [first, second] = scene.drains.receive(2);
    if (first === undefined || second === undefined) throw new Error('two');
    scene.meanwhile.act = async () => {
      scene.meanwhile.act = () => Promise.resolve();
      await scene.invoke(second);
    };
    await scene.invoke(first);
    expect(scene.retries.sent).toHaveLength(2);
    expect((await backlogOf(scene)).turn).toBe(1);
  });

  test('of an endpoint for which nothing waits is none', async () => {
    const scene = aDrain();
    for (const turn of [undefined, 0]) await scene.drains.send(outgoingDrain(scene.owner, turn, 0));
    await scene.run();
    expect([scene.drains.sent.length, (await scene.latest()).version]).toEqual([2, 0]);
  });

  test('of which all messages are lost is made up for by whoever comes every minute', async () => {
    const scene = aDrain();
    await scene.park('a');
    for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    scene.clock.pass(3_000);
    for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(['a']));
    expect(await isOver(scene)).toBe(true);
  });
});

describe('a pause', () => {
  test('is waited for: nothing is sent before its end, then a few, and when one has told, the rest', async () => {
    const scene = aDrain();
    await scene.setHealth(pausedFor(10 * minuteMs));
    await scene.park(...names(20));
    await scene.run(testStartMs + 10 * minuteMs - 1);
    expect(scene.retries.sent).toEqual([]);
    await scene.run();
    expect(new Set(postedIds(scene))).toEqual(new Set(idsOf(names(20))));
    // By the pass that found out whether it lives; all the others by the next one.
    const byPass = Map.groupBy(messagesOf(scene), (message) => message?.pass);
    expect([...byPass.values()].map(({ length }) => length)[0]).toBeLessThanOrEqual(3);
    expect(await isOver(scene)).toBe(true);
  });

  test('longer than a message can wait is waited for by whoever comes every minute', async () => {
    const scene = aDrain();
    await scene.setHealth(pausedFor(24 * 60 * minuteMs));
    await scene.park('a');
    await scene.run(testStartMs + 60 * minuteMs);
    expect(scene.drains.size()).toBe(0);
    await scene.run();
    expect(scene.posted).toMatchObject([{ eventId: eventIdOf('a') }]);
    const lateMs = (scene.posted[0]?.atMs ?? 0) - (testStartMs + 24 * 60 * minuteMs);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThanOrEqual(5_000);
  });

  // Whoever comes every minute had come, been sent away, and came again an hour later.
  test.each([-4_500, -1_100, 1_100])('is waited for by clocks that differ by %i ms', async (ms) => {
    const scene = aDrain();
    await scene.setHealth(pausedFor(60 * minuteMs));
    await scene.park('a');
    Object.assign(scene.ports, { now: () => scene.clock.now() + ms });
    await scene.run(testStartMs + 61 * minuteMs);
    expect(postedIds(scene)).toEqual(idsOf(['a']));
  });

  test('that is over sooner is over at once for what waits', async () => {
    const scene = aDrain();
    await scene.setHealth(pausedFor(60 * minuteMs));
    await scene.park(...names(5));
    await scene.run(testStartMs + minuteMs);
    const backlog = { ...(await backlogOf(scene)), dueAt: scene.clock.iso() };
    await scene.setHealth({ pause: undefined, backSince: scene.clock.iso(), backlog });
    await scene.run(testStartMs + minuteMs + 10_000);
    expect(postedIds(scene)).toHaveLength(5);
  });

  // The message that says so is lost with the one who sends it; what he has written must not be.
  test('that ends in the middle of a step is over for what waits, though nobody is told', async () => {
    const scene = aDrain();
    await scene.park('a');
    await scene.setHealth(pausedFor(24 * 60 * minuteMs));
    scene.meanwhile.act = async () => {
      scene.meanwhile.act = () => Promise.resolve();
      const backlog = { ...(await backlogOf(scene)), dueAt: scene.clock.iso() };
      await scene.setHealth({ pause: undefined, backSince: scene.clock.iso(), backlog });
      for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    };
    await scene.run(testStartMs + 10 * minuteMs);
    expect(postedIds(scene)).toEqual(idsOf(['a']));
  });

  // What the pass before has sent is dropped where it arrives.
  test('has its rows brought back from the beginning, by a pass of its own', async () => {
    const scene = aDrain();
    await scene.park(...names(3));
    scene.settings.lane = 'keeps';
    await scene.run(testStartMs + 20_000);
    const { pass, through } = await backlogOf(scene);
    expect(through).toContain(isoTime(testStartMs));
    await scene.setHealth({ backSince: scene.clock.iso() });
    await scene.run(testStartMs + 2 * minuteMs);
    const passes = messagesOf(scene).map((message) => message?.pass);
    const later = passes.at(-1) ?? 0;
    expect(later).toBeGreaterThan(pass);
    expect(passes).toEqual([pass, pass, pass, later, later, later]);
    scene.settings.lane = 'delivers';
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(names(3)));
  });
});

describe('a pace', () => {
  test('is never exceeded, and is used while something waits', async () => {
    const scene = aDrain({ perSecond: 10 });
    await scene.parkMany(3_000);
    const startMs = scene.clock.now();
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(names(3_000)));
    const perMinute = Map.groupBy(scene.posted, ({ atMs }) => Math.floor((atMs - startMs) / minuteMs));
    const counts = [...perMinute.values()].map(({ length }) => length).slice(1, -1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(600);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(540);
  });

  test('asks for each row at its own moment', async () => {
    const scene = aDrain({ perSecond: 2 });
    await scene.parkMany(10);
    scene.settings.lane = 'keeps';
    await scene.run(testStartMs + 20_000);
    const times = messagesOf(scene).map((message) => Date.parse(message?.notBefore ?? ''));
    const gaps = times.slice(1).map((ms, index) => ms - (times[index] ?? 0));
    expect(times).toHaveLength(10);
    for (const gap of gaps) expect(Math.abs(gap - 1_000 / 1.97)).toBeLessThanOrEqual(1);
  });

  // The lane would get a minute's worth at once, and most of it would hop until its leave came.
  test('is not exceeded to make good for a pause, in which nothing could be sent', async () => {
    const scene = aDrain({ perSecond: 10 });
    await scene.parkMany(3_000);
    await scene.run(scene.clock.now() + 30_000);
    const untilMs = scene.clock.now() + 5 * minuteMs;
    const pause = { ...pausedFor(0).pause, until: isoTime(untilMs) };
    await scene.setHealth({ pause });
    await scene.run(untilMs - 1);
    const before = scene.posted.length;
    await scene.run(untilMs + 30_000);
    expect((await scene.latest()).pause).toBeUndefined();
    expect(scene.posted.length - before).toBeGreaterThan(200);
    expect(scene.posted.length - before).toBeLessThanOrEqual(310);
  });

  // A lane that stands still must not be filled by one endpoint.
  test('has so much on its way at most, though nothing of it is ever recorded', async () => {
    const scene = aDrain({ perSecond: 1 });
    await scene.parkMany(1_000);
    scene.settings.lane = 'keeps';
    await scene.run(testStartMs + 14 * minuteMs);
    expect(scene.retries.sent).toHaveLength(306);
    scene.settings.lane = 'delivers';
    await scene.run(testStartMs + 24 * minuteMs);
    expect(postedIds(scene).length).toBeGreaterThan(550);
    expect(new Set(postedIds(scene)).size).toBe(postedIds(scene).length);
  });
});

describe('a pass that takes long', () => {
  test('sends each row once, though something is on its way all the time', async () => {
    const scene = aDrain({ perSecond: 1, indexLagMs: 4_000 });
    await scene.parkMany(2_400);
    await scene.run();
    expect(scene.retries.sent).toHaveLength(2_400);
    expect(await isOver(scene)).toBe(true);
  });

  test('finds what was lost in the midst of it', async () => {
    const scene = aDrain({ perSecond: 1 });
    await scene.parkMany(2_400);
    await scene.run(testStartMs + 5 * minuteMs);
    scene.settings.lane = 'loses';
    await scene.step();
    while (scene.retries.size() > 0) await scene.step();
    scene.settings.lane = 'delivers';
    await scene.run(testStartMs + 37 * minuteMs);
    // Long before its end.
    expect((await backlogOf(scene)).leftovers).toBe(1);
    await scene.run();
    expect(postedIds(scene).toSorted()).toEqual(idsOf(names(2_400)).toSorted());
  });
});

describe('messages that are lost', () => {
  test('are sent again by another pass, each later than the one before', async () => {
    const scene = aDrain();
    await scene.park(...names(4));
    scene.settings.lane = 'loses';
    await scene.run(testStartMs + 60 * minuteMs);
    const bySentAt = Map.groupBy(scene.retries.sent, ({ sentAtMs }) => sentAtMs);
    const minutes = [...bySentAt.keys()].map((ms) => Math.round((ms - testStartMs) / minuteMs));
    expect(minutes).toEqual([0, 15, 45]);
    scene.settings.lane = 'delivers';
    await scene.run();
    expect(new Set(postedIds(scene))).toEqual(new Set(idsOf(names(4))));
    expect(scene.posted).toHaveLength(4);
    expect(await isOver(scene)).toBe(true);
  });
});

test('what a worker that died has left unsaid is said by the drain', async () => {
  const scene = aDrain();
  const unsaid = [{ kind: 'resumed' as const, at: isoTime(testStartMs) }];
  await scene.health.replace(scene.owner.id, await scene.latest(), {
    ...(await scene.latest()),
    organizationId: 'org_1',
    unsaid,
    sayAfter: isoTime(testStartMs + 40_000),
  });
  await scene.run();
  expect(scene.announced.map(({ detailType }) => detailType)).toEqual(['endpoint.resumed']);
  expect(await scene.latest()).toMatchObject({ unsaid: [] });
});
