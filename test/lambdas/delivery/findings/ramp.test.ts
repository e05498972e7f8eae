import { expect, test } from 'vitest';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { aMessage } from '../../../fakes/a-message.ts';
import { anEvent } from '../../../fakes/an-event.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { eventIdOf } from '../../../fakes/ids.ts';
import { aScene } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { set, work } from '../crowd.ts';

const halfMinuteMs = 30_000;

/** So many events a second for so many seconds, all of one body: to pack each would take longer than all else. */
async function steadily(scene: Scene, perSecond: number, seconds: number): Promise<void> {
  const event = anEvent();
  const begin = async (name: string): Promise<void> => {
    const eventId = eventIdOf(name);
    await scene.ledger.events.add({ ...event, id: eventId });
    await scene.sendMessage(aMessage({ eventId }));
  };
  for (let second = 0; second < seconds; second += 1) {
    await Promise.all(Array.from({ length: perSecond }, (_, index) => begin(`${second}-${index}`)));
    await work(scene, testStartMs + (second + 1) * 1_000);
  }
}

/** Requests in each half minute. */
function halfMinutesOf({ receiver: { requests } }: Scene, count: number): number[] {
  const halves = requests.map(({ atMs }) => Math.floor((atMs - testStartMs) / halfMinuteMs));
  return Array.from({ length: count }, (_, index) => halves.filter((half) => half === index).length);
}

// Seen: 10, 10.4, 11.2 … 15 a second, and in minute 14 of a sudden 1,200.
test('what comes at 200 a second for an endpoint just resumed goes out at 10, 20, 40 a second', async () => {
  const scene = await aScene({ tookMs: 0 });
  await set(scene, { backSince: isoTime(testStartMs) });
  await steadily(scene, 200, 90);
  for (const [index, requests] of halfMinutesOf(scene, 3).entries()) {
    const promised = 10 * 2 ** index * 30;
    // A burst of two seconds at most, once.
    expect(requests).toBeLessThanOrEqual(promised + 2 * 10 * 2 ** index);
    expect(requests).toBeGreaterThanOrEqual(promised / 2);
  }
});
