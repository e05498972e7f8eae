import { describe, expect, test } from 'vitest';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { seededChance } from '../../../fakes/chance.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { aScene } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { allDelivered, attemptsOf, expectPace, many, work } from '../crowd.ts';

/** Each message of the lanes comes so many seconds later than it was asked for. */
function beLate({ queue }: Scene, secondsOf: () => number): void {
  const { send } = queue;
  queue.send = (message) =>
    send({ ...message, delaySeconds: Math.min(900, message.delaySeconds + secondsOf()) });
}

/** So many deliveries of an endpoint that is held to a pace, in lanes that are late. */
async function paced(perSecond: number, count: number, secondsOf: () => number): Promise<Scene> {
  const scene = await aScene({
    endpoint: anEndpoint({ policy: { rateLimitPerSecond: perSecond } }),
    tookMs: 5,
  });
  beLate(scene, secondsOf);
  await many(scene, count);
  await work(scene);
  expect(await attemptsOf(scene, count)).toEqual(allDelivered(count));
  return scene;
}

const endSeconds = ({ receiver: { requests } }: Scene) =>
  (Math.max(...requests.map(({ atMs }) => atMs)) - testStartMs) / 1000;

/** At nine tenths of its pace, with some seconds until what was parked is found. */
const timeOf = (perSecond: number, count: number) => count / (0.9 * perSecond) + 10;

describe('a lane that is late costs its lateness, no more', () => {
  // Seen: two requests in two hours, and 7,589 messages for 200 deliveries.
  test.each([
    [1, 200, 0],
    [1, 200, 2],
    [1, 200, 4],
    [10, 200, 4],
    [10, 600, 10],
  ])('at %d a second, %i deliveries, all messages %i s late', async (perSecond, count, lateSeconds) => {
    const scene = await paced(perSecond, count, () => lateSeconds);
    expect(endSeconds(scene)).toBeLessThanOrEqual(timeOf(perSecond, count) + 2 * lateSeconds);
    expectPace(scene, perSecond);
    expect(scene.queue.sent.length).toBeLessThanOrEqual(3 * count);
  });

  // Seen: 23 minutes for ten minutes of work.
  test.each([
    ['0 to 6 s', 6, (chance: number) => chance * 6],
    ['0 to 12 s', 12, (chance: number) => chance * 12],
    ['3 s in the mean', 20, (chance: number) => -3 * Math.log(1 - chance)],
  ])('at 1 a second, late at random, %s', async (_, mostSeconds, lateOf) => {
    const chance = seededChance(5);
    const scene = await paced(1, 600, () => Math.round(lateOf(chance())));
    expect(endSeconds(scene)).toBeLessThanOrEqual(timeOf(1, 600) + 2 * mostSeconds);
    expectPace(scene, 1);
    expect(scene.queue.sent.length).toBeLessThanOrEqual(3 * 600);
  });
});
