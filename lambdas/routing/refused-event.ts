import { packBody } from '../event/body.ts';
import type { RefusalReason, StoredEvent } from '../event/event.ts';

/** What every event has. */
export type Common = Omit<StoredEvent, 'status' | 'endpoints' | 'skipped'>;

/** An event that goes to nobody, kept as it came, if it fits: the producer will ask what it was. */
export function refused(
  common: Common,
  detailText: string,
  { reason, explanation }: { reason: RefusalReason; explanation: string },
): StoredEvent {
  const body = packBody(Buffer.from(detailText));
  return {
    ...common,
    status: 'refused',
    reason,
    explanation,
    endpoints: [],
    skipped: [],
    ...(body === undefined ? {} : { body }),
  };
}
