import { type ManualClock, manualClock } from '../../../local/aws/clock.ts';
import { aSetting, type Setting } from '../../../local/aws/setting.ts';
import { memoryShelf } from '../../../local/aws/shelf.ts';
import type { QueueFaults } from '../../../local/aws/sqs-faults.ts';
import type { Queue, QueueDefinition } from '../../../local/aws/sqs-queue.ts';
import { Sqs } from '../../../local/aws/sqs.ts';

/** Chance that repeats itself: a linear congruential generator (Numerical Recipes). */
export function seededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export type TestSetting = Setting & { clock: ManualClock; reported: string[] };

/** A setting with a clock that stands still, seeded chance and a memory. */
export function aTestSetting(given: Partial<Setting> = {}): TestSetting {
  const reported: string[] = [];
  const setting = aSetting({
    random: seededRandom(),
    shelf: memoryShelf(),
    report: (problem) => reported.push(problem),
    ...given,
  });
  return { ...setting, clock: manualClock(), reported };
}

export function definitionOf(given: Partial<QueueDefinition> = {}): QueueDefinition {
  return {
    name: 'work',
    visibilityTimeoutSeconds: 30,
    messageRetentionSeconds: 345_600,
    delaySeconds: 0,
    ...given,
  };
}

export async function aQueue(
  given: Partial<QueueDefinition> = {},
  { faults, ...settings }: Partial<Setting> & { faults?: QueueFaults } = {},
): Promise<{ queue: Queue; sqs: Sqs; clock: ManualClock; setting: TestSetting }> {
  const setting = aTestSetting(settings);
  const sqs = new Sqs(setting, faults);
  const queue = await sqs.createQueue(definitionOf(given));
  return { queue, sqs, clock: setting.clock, setting };
}

/** `work` with its dead-letter queue `dead`, as the stack has them. */
export async function aQueueWithDeadLetters(maxReceiveCount: number) {
  const setting = aTestSetting();
  const sqs = new Sqs(setting);
  const dead = await sqs.createQueue(definitionOf({ name: 'dead', messageRetentionSeconds: 1_209_600 }));
  const redrive = { deadLetterQueueArn: dead.arn, maxReceiveCount };
  const queue = await sqs.createQueue(definitionOf({ redrive }));
  return { queue, dead, sqs, clock: setting.clock, setting };
}

/** The one message a receive gave. */
export function only<Item>(items: Item[]): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new Error(`Expected one, got ${items.length}.`);
  return item;
}
