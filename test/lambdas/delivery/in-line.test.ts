import { describe, expect, test } from 'vitest';
import { againMessage } from '../../../lambdas/delivery/again.ts';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { park } from '../../../lambdas/delivery/park.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead } from '../../fakes/a-delivery.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { aJob } from '../../fakes/jobs.ts';
import { aScene } from './a-scene.ts';
import type { Scene } from './a-scene.ts';
import { deliveryOf, endpointId, expectPace, many, names, pause, set, work } from './crowd.ts';
import { recoverIn } from './recover-in.ts';

const minuteMs = 60_000;
const count = 20;
const paced = anEndpoint({ policy: { rateLimitPerSecond: 1, circuitBreaker: null } });

/** Deliveries that wait for an endpoint which is paused for ten minutes, a second apart. */
async function waiting(total = count): Promise<Scene> {
  const scene = await aScene({ endpoint: paced, event: anEvent({ endpoints: [] }), tookMs: 1 });
  await pause(scene, 10 * minuteMs);
  await many(scene, total);
  while (scene.queue.size() > 0) {
    await scene.invoke(scene.queue.receive(1));
    scene.clock.pass(1_000);
  }
  return scene;
}

/** The pause ends now, as when a probe has succeeded long ago: no ramp, only the pace. */
async function resumeNow(scene: Scene): Promise<void> {
  const { backlog } = await scene.health.readLatest(endpointId);
  if (backlog === undefined) throw new Error('nothing waits');
  const owner = { id: endpointId, organizationId: 'org_1' };
  await set(scene, { backlog: { ...backlog, dueAt: isoTime(scene.clock.now()) } });
  await scene.ports.startDrain(owner, backlog.turn, 0);
}

/** The message of a click on a delivery: POST …/deliveries/{evt}/retry. */
function clickOn(name: string, before: Delivery | undefined): DeliveryMessage {
  const ids = { organizationId: 'org_1', endpointId, eventId: eventIdOf(name), eventType: anEvent().type };
  return againMessage(ids, before);
}

async function click(scene: Scene, name: string): Promise<void> {
  await scene.sendMessage(clickOn(name, await deliveryOf(scene, name)));
}

/** Deliveries that have died, and a job that recovers them. */
async function recoverDead(scene: Scene, dead: readonly string[]): Promise<void> {
  const { ledger, clock } = scene;
  const updatedAt = isoTime(testStartMs);
  for (const name of dead) {
    await ledger.events.add(anEvent({ name }));
    await ledger.record(aDead({ eventId: eventIdOf(name), updatedAt }));
  }
  await recoverIn(scene, aJob({ timeMs: clock.now(), include: ['dead'] }));
}

/** Names of the events in the order in which the receiver got them. */
function order({ receiver: { requests } }: Scene, all: readonly string[]): (string | undefined)[] {
  return requests.map(({ headers }) => all.find((name) => eventIdOf(name) === headers['webhook-id']));
}

describe('a recovery of many', () => {
  test('goes in line behind what waits for its endpoint, and at its pace', async () => {
    const scene = await waiting();
    const dead = names(count).map((name) => `dead-${name}`);
    await resumeNow(scene);
    await recoverDead(scene, dead);
    await work(scene);
    const made = order(scene, [...names(count), ...dead]);
    expect(made).toHaveLength(2 * count);
    // Within a batch any of ten may be the first.
    const firstOfDead = made.findIndex((name) => name?.startsWith('dead-'));
    expect(firstOfDead).toBeGreaterThanOrEqual(count - 3);
    expectPace(scene, 1);
    const recovered = await deliveryOf(scene, dead[0] ?? '');
    expect(recovered).toMatchObject({ status: 'delivered', round: 2 });
    expect(recovered?.attempts.at(-1)?.trigger).toBe('manual');
  });
});

describe('a retry by hand', () => {
  test('passes what waits for its endpoint', async () => {
    const scene = await waiting();
    await resumeNow(scene);
    await click(scene, 'event-15');
    await work(scene);
    const made = order(scene, names(count));
    expect(made).toHaveLength(count);
    expect(made.indexOf('event-15')).toBeLessThanOrEqual(3);
    expect(await deliveryOf(scene, 'event-15')).toMatchObject({ status: 'delivered', round: 2 });
  });

  test('that is refused keeps the place of what waits already, and opens its round', async () => {
    const scene = await waiting();
    const before = await deliveryOf(scene, 'event-3');
    await click(scene, 'event-3');
    await work(scene, scene.clock.now() + 1_000);
    const { waiting: partition, waitingAt } = before ?? {};
    expect(await deliveryOf(scene, 'event-3')).toMatchObject({
      ...{ status: 'retrying', round: 2, trigger: 'manual', waiting: partition, waitingAt },
    });
    await resumeNow(scene);
    await work(scene);
    const made = order(scene, names(count));
    expect(made).toHaveLength(count);
    expect(made.indexOf('event-3')).toBeLessThanOrEqual(5);
  });

  test('that is refused when its row is being sent is the next one, not the last, and not a pass later', async () => {
    const total = 100;
    const scene = await waiting(total);
    await resumeNow(scene);
    // The drain sends 70 seconds' worth; of those one is clicked on, and has no leave, before its message comes.
    await scene.runDrain();
    const health = await scene.health.readLatest(endpointId);
    const clicked = 'event-8';
    const before = await deliveryOf(scene, clicked);
    expect((before?.waitingAt ?? '~') <= (health.backlog?.through ?? '')).toBe(true);
    await park(scene.ports, clickOn(clicked, before), { before, health, cause: 'paced' });
    expect((await deliveryOf(scene, clicked))?.round).toBe(2);
    await work(scene);
    const made = order(scene, names(total));
    expect(made).toHaveLength(total);
    expect(made.indexOf(clicked)).toBeLessThan(total - 20);
    const latestMs = Math.max(...scene.receiver.requests.map(({ atMs }) => atMs));
    expect(latestMs).toBeLessThan(testStartMs + 4 * minuteMs);
  });
});
