import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import type { Scene } from './a-recovery.ts';

const minuteMs = 60_000;
export const before = isoTime(testStartMs - 120 * minuteMs);
const one = endpointIdOf('one');

/** What became of an event: a status of its delivery, or why there is none. */
export type Story =
  'delivered' | 'dead' | 'discarded' | 'retrying' | 'lost retry' | 'missing' | 'young' | 'skipped';

const made: Partial<Record<Story, Delivery>> = {
  delivered: aDelivered({ updatedAt: before }),
  dead: aDead({ updatedAt: before }),
  discarded: aDiscarded({ updatedAt: before }),
  retrying: aDelivery({ updatedAt: before }),
  'lost retry': aDelivery({ updatedAt: before, nextAttemptAt: isoTime(testStartMs - 61 * minuteMs) }),
};

/** Events a minute apart, the oldest first, each with its story. */
export async function tell(scene: Scene, stories: readonly Story[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, story] of stories.entries()) {
    const receivedMs = story === 'young' ? testStartMs - 60_000 : testStartMs - 61 * minuteMs;
    const timeMs = testStartMs - (stories.length - index) * minuteMs;
    const event = anEvent({
      name: `${index}`,
      timeMs,
      receivedAt: isoTime(receivedMs),
      ...(story === 'skipped'
        ? { endpoints: [], skipped: [{ endpointId: one, reason: 'endpoint_disabled' }] }
        : {}),
    });
    await scene.ledger.events.add(event);
    const delivery = made[story];
    if (delivery !== undefined) await scene.ledger.record({ ...delivery, eventId: event.id });
    ids.push(event.id);
  }
  return ids;
}

export const everything: Story[] = [
  ...(['delivered', 'dead', 'discarded', 'retrying', 'lost retry', 'missing', 'young', 'skipped'] as const),
  ...(['delivered', 'delivered', 'delivered', 'delivered', 'missing', 'dead'] as const),
];
export const lacking = new Set<Story>(['dead', 'discarded', 'lost retry', 'missing', 'skipped']);
export const countsOfEverything = { examined: 14, dead: 2, discarded: 2, missing: 3, sent: 7 };
