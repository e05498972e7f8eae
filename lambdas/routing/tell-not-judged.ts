import { LRUCache } from 'lru-cache';
import type { Announce } from '../event/operator-event.ts';
import { operatorEvent } from '../event/operator-event.ts';
import type { StoredEvent } from '../event/event.ts';
import type { Log } from '../shared/log.ts';
import type { Now } from '../shared/time.ts';

/** How often a function says the same of one type: often enough to be seen, and never once for each event. */
const sayingAgainMs = 15 * 60_000;

export type TellNotJudged = (event: StoredEvent) => Promise<void>;

/**
 * Tells the operator that the schema of an event type cannot judge its events, once in a quarter of an hour for each
 * type. The stored events say it, too; so an event goes its way though this one could not be published.
 */
export function makeTellNotJudged({
  announce,
  now,
  log,
}: {
  readonly announce: Announce;
  readonly now: Now;
  readonly log: Log;
}): TellNotJudged {
  const saidAtMs = new LRUCache<string, number>({ max: 500 });
  return async function tellNotJudged({ organizationId, id: eventId, type: eventType, status, ...event }) {
    const sentence = event.reason === 'schema_not_judged' ? event.explanation : event.schemaNotJudged;
    if (sentence === undefined || now() - (saidAtMs.get(eventType) ?? -Infinity) < sayingAgainMs) return;
    saidAtMs.set(eventType, now());
    const said = { organizationId, eventId, eventType, isDelivered: status === 'accepted', sentence };
    await announce(operatorEvent('event.not_judged', said)).catch(() => {
      saidAtMs.delete(eventType);
      log('event.unsaid', { organizationId, eventId, eventType });
    });
  };
}
