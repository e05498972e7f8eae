import { againMessage, lostMessage } from '../delivery/again.ts';
import { isParked } from '../delivery/delivery.ts';
import type { DeliverySummary } from '../delivery/delivery.ts';
import { unrecordedMsMax } from '../delivery/hold.ts';
import type { DeliveryMessage, FirstAttempt } from '../delivery/message.ts';
import type { EventSummary, Skipped } from '../event/event.ts';
import { timeOfPlace } from '../shared/waiting.ts';
import type { Job, Lack } from './job.ts';

/** A delivery that a job looks at, or an event of which there should be one. */
export type Candidate = { readonly ids: FirstAttempt } & (
  | { readonly delivery: DeliverySummary }
  | {
      readonly delivery: undefined;
      /** Why the event passed the endpoint by, if it did. */
      readonly skipReason: Skipped['reason'] | undefined;
      readonly receivedAt: string;
    }
);

export interface CandidatePage {
  readonly candidates: readonly Candidate[];
  /** Events or deliveries that were looked at. */
  readonly examined: number;
  /** The last of them; nothing on an empty page. */
  readonly cursor: Job['cursor'];
  readonly isLast: boolean;
}

/** The deliveries of some events that an endpoint should have, made or not. */
export function candidatesOf(
  endpointId: string,
  events: readonly EventSummary[],
  deliveries: readonly DeliverySummary[],
): Candidate[] {
  const made = new Map(deliveries.map((delivery) => [delivery.eventId, delivery]));
  return events.flatMap(({ id: eventId, organizationId, type: eventType, receivedAt, ...event }) => {
    const skipReason = event.skipped.find((skip) => skip.endpointId === endpointId)?.reason;
    if (skipReason === undefined && !event.endpoints.includes(endpointId)) return [];
    const ids = { organizationId, endpointId, eventId, eventType };
    const delivery = made.get(eventId);
    return [delivery === undefined ? { ids, delivery, skipReason, receivedAt } : { ids, delivery }];
  });
}

/** By then whoever comes every minute has looked twice at what waits until a time (recovery/wake). */
export const sentOnMsMax = 2 * 3_600_000;

/**
 * What a candidate lacked when the job was asked for; `undefined` for nothing. What has changed since then is left
 * alone: a delivery that dies while the job runs has had its attempts, and is not to be sent again and again.
 */
export function lackOf(candidate: Candidate, { createdAt }: Pick<Job, 'createdAt'>): Lack | undefined {
  const askedMs = Date.parse(createdAt);
  const { delivery } = candidate;
  if (delivery === undefined) {
    if (candidate.skipReason !== undefined) return 'discarded';
    return askedMs - Date.parse(candidate.receivedAt) > unrecordedMsMax ? 'missing' : undefined;
  }
  const { status, updatedAt } = delivery;
  if (Date.parse(updatedAt) > askedMs) return undefined;
  switch (status) {
    case 'dead':
    case 'discarded':
      return status;
    case 'retrying':
      return isComing(delivery, askedMs) ? undefined : 'missing';
    case 'delivered':
    case 'failed':
      return undefined;
  }
}

/** Whether the next attempt may still come by itself. */
function isComing(delivery: DeliverySummary, nowMs: number): boolean {
  const { updatedAt, nextAttemptAt = updatedAt, waitingAt } = delivery;
  // Its endpoint's drain comes for it, however long that takes.
  if (isParked(delivery)) return true;
  if (waitingAt !== undefined) return nowMs - timeOfPlace({ waitingAt }) <= sentOnMsMax;
  return nowMs - Date.parse(nextAttemptAt) <= unrecordedMsMax;
}

/** Whether a job is to recover a candidate that lacks something. */
export function isIncluded({ include }: Pick<Job, 'include'>, candidate: Candidate, lack: Lack): boolean {
  if (include.includes(lack)) return true;
  const { delivery } = candidate;
  const reason = delivery === undefined ? candidate.skipReason : delivery.reason;
  return include.includes('not_entitled') && lack === 'discarded' && reason === 'not_entitled';
}

/**
 * The message by which a candidate is recovered. Sent twice, it does the same: the ledger lets one of the two pass. It
 * waits in line, unlike a retry by hand: a job may send thousands, and its endpoint has a pace.
 */
export function recoveringMessage({ ids, delivery }: Candidate): DeliveryMessage {
  const isLost = delivery?.status === 'retrying';
  return { ...(isLost ? lostMessage(ids, delivery) : againMessage(ids, delivery)), isOfMany: true };
}
