import type { EventType } from '../event/event-type.ts';

export interface Subscription {
  /** Names of types, prefixes such as `pipeline.*`, or `*` for everything. */
  readonly eventTypes: readonly string[];
  readonly categories: readonly EventType['category'][];
}

/** Whether a subscription asks for an event of this type (R5). */
export function wants(
  { eventTypes, categories }: Subscription,
  type: Pick<EventType, 'name' | 'category'>,
): boolean {
  return categories.includes(type.category) || eventTypes.some((pattern) => matches(pattern, type.name));
}

/** `pipeline.*` stands for every type that begins with `pipeline.`, at any depth. */
function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
