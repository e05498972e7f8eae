import { Conflict, MadeMeanwhile } from '../shared/errors.ts';
import type { Now } from '../shared/time.ts';
import type { TypeChange } from './define-type.ts';
import type { EventType } from './event-type.ts';

/** What the operations on the catalogue need. */
export interface EventTypePorts {
  readonly eventTypes: {
    readonly list: () => Promise<EventType[]>;
    readonly replace: (before: EventType | undefined, after: EventType) => Promise<boolean>;
    readonly remove: (before: EventType) => Promise<boolean>;
  };
  readonly now: Now;
}

/**
 * Writes an event type over the one that was read, or a new one.
 *
 * @throws Conflict `changed_meanwhile` when somebody has been faster.
 */
export async function replaceType(
  { eventTypes }: Pick<EventTypePorts, 'eventTypes'>,
  { before, after }: TypeChange,
): Promise<EventType> {
  if (await eventTypes.replace(before, after)) return after;
  throw before === undefined ? new MadeMeanwhile('event type') : changedMeanwhile();
}

/**
 * Removes an event type that is as it was read.
 *
 * @throws Conflict `changed_meanwhile` when it is not.
 */
export async function removeType(
  { eventTypes }: Pick<EventTypePorts, 'eventTypes'>,
  before: EventType,
): Promise<void> {
  if (!(await eventTypes.remove(before))) throw changedMeanwhile();
}

function changedMeanwhile(): Conflict {
  return new Conflict('changed_meanwhile', 'Somebody else has just changed this event type: try again.');
}
