import { eventTypeWord } from '../event/event-type.ts';
import type { EventType } from '../event/event-type.ts';

/** `pipeline.run.failed`, `pipeline.*` or `*`. */
export const patternOfTypes = new RegExp(`^(?:\\*|${eventTypeWord}(?:\\.${eventTypeWord})*(?:\\.\\*)?)$`);

export interface Subscription {
  /** Names of types, prefixes such as `pipeline.*`, or `*` for everything. */
  readonly eventTypes: readonly string[];
  readonly categories: readonly EventType['category'][];
}

type Asked = Pick<EventType, 'name' | 'category'>;

/** Whether a subscription asks for an event of this type. */
export function wants(subscription: Subscription, type: Asked): boolean {
  return wantsBy(subscription, type) !== undefined;
}

/** The category or the first pattern by which a subscription asks for an event of this type. */
export function wantsBy(
  { eventTypes, categories }: Subscription,
  { name, category }: Asked,
): string | undefined {
  return categories.includes(category) ? category : eventTypes.find((pattern) => matches(pattern, name));
}

/** `pipeline.*` stands for every type that begins with `pipeline.`, at any depth. */
function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
