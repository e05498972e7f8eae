import type { Reference } from './book.ts';

/** What a message's body holds; nothing of what is no JSON. */
export function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The same as a list. */
export function referencesIn(value: unknown): Reference[] {
  const reference = referenceIn(value);
  return reference === undefined ? [] : [reference];
}

/** The delivery, or the event, that an argument names. */
export function referenceIn(value: unknown): Reference | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('eventId' in value) || typeof value.eventId !== 'string') return undefined;
  const { eventId } = value;
  const hasEndpoint = 'endpointId' in value && typeof value.endpointId === 'string';
  return hasEndpoint ? { endpointId: String(value.endpointId), eventId } : { eventId };
}
