import { describe, expect, test } from 'vitest';
import { resume } from '../../../lambdas/endpoint/health/resume.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { outgoingDrain } from '../../../lambdas/endpoint/health/drain-message.ts';
import { settleMs } from '../../../lambdas/recovery/drain/next-backlog.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { aScene, settle } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import {
  allDelivered,
  attemptsOf,
  deliveryOf,
  endpointId,
  many,
  names,
  one,
  pause,
  rowsOf,
  toldOf,
  work,
} from './crowd.ts';
import { mortalDrain } from './mortal.ts';
import type { Call, DrainPortName, Fate } from './mortal.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const owner = { id: endpointId, organizationId: 'org_1' };

/** So many deliveries that wait for an endpoint which is paused for ten minutes. */
async function parked(count: number, endpoint = anEndpoint()): Promise<Scene> {
  const scene = await aScene({ endpoint });
  await pause(scene, 10 * minuteMs);
  await many(scene, count);
  await work(scene, testStartMs + minuteMs);
  expect(await rowsOf(scene)).toHaveLength(count);
  return scene;
}

const backlogOf = async ({ health }: Scene) => (await health.readLatest(endpointId)).backlog;

/** Messages that were brought back from rows. */
const broughtBack = ({ queue }: Scene) =>
  queue.sent.map(({ body }) => readMessage(body)).filter((message) => message?.pass !== undefined);

describe('a drain', () => {
  test('brings back the oldest first, and is over when nothing is left', async () => {
    const scene = await aScene();
    await pause(scene, 10 * minuteMs);
    for (const name of names(30)) {
      await one(scene, name);
      await work(scene, scene.clock.now() + secondMs);
    }
    await work(scene);
    expect(await attemptsOf(scene, 30)).toEqual(allDelivered(30));
    const ids = scene.receiver.requests.map(({ headers }) => headers['webhook-id']);
    for (const [place, name] of names(30).entries()) {
      // Within a batch any of ten may be the first.
      expect(Math.abs(ids.indexOf(eventIdOf(name)) - place)).toBeLessThan(10);
    }
    expect(await backlogOf(scene)).toBeUndefined();
    expect(scene.drains.size()).toBe(0);
  });

  test('has one message for a delivery at a time', async () => {
    const scene = await parked(60);
    while (await scene.step(10)) {
      const live = scene.queue.waiting().map(({ body }) => readMessage(body)?.eventId);
      expect(new Set(live).size).toBe(live.length);
    }
    expect(await attemptsOf(scene, 60)).toEqual(allDelivered(60));
  });

  test('goes on when its message is lost, and nobody but whoever comes every minute knows', async () => {
    const scene = await parked(30);
    for (const record of [...scene.drains.waiting()]) scene.drains.delete(recordOfId(scene, record.id));
    await work(scene, testStartMs + 25 * minuteMs);
    expect(await attemptsOf(scene, 30)).toEqual(allDelivered(30));
  });

  test('is stepped once by messages that name the same turn, however many there are', async () => {
    const steps: number[] = [];
    for (const copies of [0, 2]) {
      const scene = await parked(30);
      await work(scene, testStartMs + 10 * minuteMs - 1);
      const [message] = scene.drains.waiting();
      if (message === undefined) throw new Error('the drain has no message');
      for (let copy = 0; copy < copies; copy += 1)
        await scene.drains.send({ ...message, delaySeconds: copy });
      await work(scene);
      expect(await attemptsOf(scene, 30)).toEqual(allDelivered(30));
      const sent = broughtBack(scene).map((each) => `${each?.eventId} ${each?.pass}`);
      expect(new Set(sent).size).toBe(sent.length);
      steps.push(scene.journal.lines.filter(({ message: line }) => line === 'backlog.stepped').length);
    }
    expect(steps[1]).toBe(steps[0]);
  });

  test('is stepped by nobody who names no turn before its time has come', async () => {
    const scene = await parked(5);
    await scene.drains.send(outgoingDrain(owner, undefined, 0));
    await work(scene, testStartMs + 9 * minuteMs);
    expect(broughtBack(scene)).toEqual([]);
    await work(scene);
    expect(await attemptsOf(scene, 5)).toEqual(allDelivered(5));
  });
});

function recordOfId({ drains, clock }: Scene, id: string) {
  clock.passTo(drains.nextAtMs() ?? 0);
  const record = drains.receive().find(({ messageId }) => messageId === id);
  if (record === undefined) throw new Error('there is no such message');
  return record;
}

describe('what is parked while a drain ends', () => {
  test('after it has seen the end is brought back', async () => {
    const scene = await parked(3);
    while ((await backlogOf(scene))?.emptyAt === undefined || (await rowsOf(scene)).length > 0)
      await scene.step(10);
    // By who had read a moment before that there is a backlog: he says nothing of it in the health.
    const { read } = scene.health;
    const before = await scene.health.readLatest(endpointId);
    const { emptyAt, ...open } = before.backlog ?? { turn: 0, pass: 1, dueAt: '' };
    scene.health.read = () => Promise.resolve({ ...before, backlog: open });
    await one(scene, 'late');
    await scene.invoke(scene.queue.receive());
    scene.health.read = read;
    expect(await rowsOf(scene)).toHaveLength(1);
    expect(emptyAt).toBeDefined();
    const parkedMs = scene.clock.now();
    await work(scene, parkedMs + settleMs + 10 * secondMs);
    expect((await deliveryOf(scene, 'late'))?.status).toBe('delivered');
  });

  test('and says so keeps the last step from ending it for good', async () => {
    const scene = await parked(3);
    while ((await backlogOf(scene))?.emptyAt === undefined) await scene.step(10);
    const empty = await backlogOf(scene);
    await pause(scene, 5 * minuteMs);
    const before = await scene.health.readLatest(endpointId);
    await scene.health.replace(endpointId, before, { ...before, backlog: empty });
    await one(scene, 'late');
    await scene.invoke(scene.queue.receive());
    const raised = await backlogOf(scene);
    expect(raised).not.toHaveProperty('emptyAt');
    expect(raised?.turn).toBe((empty?.turn ?? 0) + 1);
    await work(scene);
    expect((await deliveryOf(scene, 'late'))?.status).toBe('delivered');
  });

  test('when it has ended begins the next one', async () => {
    const scene = await parked(3);
    await work(scene);
    expect(await backlogOf(scene)).toBeUndefined();
    await pause(scene, 5 * minuteMs);
    await one(scene, 'late');
    await work(scene, scene.clock.now() + 6 * minuteMs);
    expect((await deliveryOf(scene, 'late'))?.status).toBe('delivered');
  });
});

describe('a drain that dies', () => {
  /** The calls of a drain over four rows, and what became of them with a fate at one of these calls. */
  async function withFate(index: number, fate: Fate | undefined) {
    const scene = await parked(4);
    const calls: Call<DrainPortName>[] = [];
    scene.settings.drainPortsOf = (ports) =>
      mortalDrain(ports, (call) => (call.index === index ? fate : undefined), calls);
    await work(scene, testStartMs + 20 * minuteMs);
    return { scene, calls };
  }

  test.each(['crash before', 'crash after', 'twice'] as const)(
    'anywhere (%s) loses no row, and the receiver has each delivery once',
    async (fate) => {
      const { calls } = await withFate(-1, undefined);
      expect(calls.length).toBeGreaterThan(20);
      for (const [index, { port }] of calls.entries()) {
        const { scene } = await withFate(index, fate);
        const what = `${fate} at call ${index} (${port})`;
        expect(await attemptsOf(scene, 4), what).toEqual(allDelivered(4));
        expect(scene.receiver.requests, what).toHaveLength(4);
        await work(scene);
        expect(await backlogOf(scene), what).toBeUndefined();
      }
    },
  );
});

describe('when the endpoint fails again during a drain', () => {
  const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 300, maximumPauseSeconds: 300 };
  const retry = { initialBackoffSeconds: 60, multiplier: 1, maximumAttempts: 30 };
  const fragile = anEndpoint({ policy: { circuitBreaker: breaker, retry, disableAfterHours: null } });

  test('the rest waits on, nothing is sent but probes, and all of it comes when it is back', async () => {
    const scene = await parked(60, fragile);
    scene.receiver.answers(...Array<number>(10).fill(200), ...Array<number>(200).fill(500));
    await work(scene, testStartMs + 14 * minuteMs);
    const failedAtMs = scene.receiver.requests[11]?.atMs ?? 0;
    expect((await scene.health.readLatest(endpointId)).pause).toBeDefined();
    const during = scene.receiver.requests.filter(
      ({ atMs }) => atMs > failedAtMs + 5 * secondMs && atMs < failedAtMs + 290 * secondMs,
    );
    expect(during).toEqual([]);
    scene.receiver.always(200);
    await work(scene);
    expect((await attemptsOf(scene, 60)).every(([status]) => status === 'delivered')).toBe(true);
    expect([...scene.queue.dead, ...scene.falling.dead]).toEqual([]);
  });

  test('what the drain had sent before is dropped where it arrives, and is sent again from its row', async () => {
    const scene = await parked(100, fragile);
    await work(scene, testStartMs + 10 * minuteMs + 6 * secondMs);
    const made = scene.receiver.requests.length;
    expect(made).toBeGreaterThan(0);
    expect(scene.queue.size()).toBeGreaterThan(0);
    await pause(scene, 5 * minuteMs);
    const health = await scene.health.readLatest(endpointId);
    const at = scene.clock.iso();
    const backlog = { turn: 9, pass: 9, dueAt: at };
    await scene.health.replace(endpointId, health, { ...health, backlog });
    await work(scene, scene.clock.now() + 4 * minuteMs);
    expect(scene.receiver.requests).toHaveLength(made);
    expect(scene.queue.size()).toBe(0);
    await work(scene);
    expect(await attemptsOf(scene, 100)).toEqual(allDelivered(100));
    expect(scene.receiver.requests).toHaveLength(100);
  });
});

describe('when a person ends the pause', () => {
  test('what waits comes within seconds, at the pace of an endpoint that has just come back', async () => {
    const scene = await parked(60);
    await resume(scene.drainPorts, anEndpoint());
    await work(scene, testStartMs + minuteMs + 20 * secondMs);
    expect(await attemptsOf(scene, 60)).toEqual(allDelivered(60));
    const times = scene.receiver.requests.map(({ atMs }) => atMs);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThanOrEqual(3 * secondMs);
    expect(toldOf(scene, 'endpoint.resumed')).toEqual([expect.objectContaining({ reason: 'by_hand' })]);
  });

  test('while a drain probes, that one gives way', async () => {
    const scene = await parked(20);
    scene.receiver.always(500);
    await work(scene, testStartMs + 11 * minuteMs);
    scene.receiver.always(200);
    await resume(scene.drainPorts, anEndpoint());
    await work(scene, scene.clock.now() + minuteMs);
    const ends = await attemptsOf(scene, 20);
    expect(ends.filter(([status]) => status === 'delivered').length).toBeGreaterThanOrEqual(19);
    await work(scene);
    expect((await attemptsOf(scene, 20)).every(([status]) => status === 'delivered')).toBe(true);
  });
});

describe('rows of an endpoint that may have nothing more', () => {
  const endings: [string, (scene: Scene) => Promise<void>][] = [
    [
      'endpoint_deleted',
      async ({ configuration, health }) => {
        await configuration.endpoints.remove('org_1', endpointId);
        await health.forget(endpointId);
      },
    ],
    [
      'endpoint_disabled',
      ({ configuration }) => {
        configuration.set(anEndpoint({ active: false }));
        return Promise.resolve();
      },
    ],
    [
      'not_entitled',
      ({ configuration }) => {
        configuration.setOrganization(anOrganization({ plan: 'free' }));
        return Promise.resolve();
      },
    ],
    [
      'unsubscribed',
      ({ configuration }) => {
        configuration.set(anEndpoint({ eventTypes: ['security.*'] }));
        return Promise.resolve();
      },
    ],
  ];

  test.each(endings)('all end as discarded: %s', async (reason, end) => {
    const scene = await parked(25);
    await end(scene);
    await work(scene, testStartMs + 20 * minuteMs);
    const all = await Promise.all(names(25).map((name) => deliveryOf(scene, name)));
    const [status, attemptCount] = ['discarded', 0];
    for (const delivery of all) expect(delivery).toMatchObject({ status, reason, attemptCount });
    expect(scene.receiver.requests).toEqual([]);
    expect(await rowsOf(scene)).toEqual([]);
    await work(scene);
    expect(await backlogOf(scene)).toBeUndefined();
  });

  test.each([
    ['gone', 'gone'],
    ['failing', 'endpoint_disabled'],
  ] as const)('all end as discarded when we switch it off: %s', async (reason, said) => {
    const scene = await parked(25);
    const before = await scene.health.readLatest(endpointId);
    const off = { at: scene.clock.iso(), reason };
    await scene.health.replace(endpointId, before, { ...before, off, pause: undefined });
    await work(scene, testStartMs + hourMs);
    const all = await Promise.all(names(25).map((name) => deliveryOf(scene, name)));
    for (const delivery of all) expect(delivery).toMatchObject({ status: 'discarded', reason: said });
    expect(await rowsOf(scene)).toEqual([]);
  });

  test('of one that is deleted end within minutes, not when its pause would', async () => {
    const scene = await aScene();
    await pause(scene, 24 * hourMs);
    await many(scene, 25);
    await work(scene, testStartMs + minuteMs);
    await scene.configuration.endpoints.remove('org_1', endpointId);
    await scene.health.forget(endpointId);
    await work(scene, testStartMs + 6 * minuteMs);
    expect(await rowsOf(scene)).toEqual([]);
    await settle(scene);
    expect((await deliveryOf(scene, 'event-0'))?.reason).toBe('endpoint_deleted');
  });
});
