import { isOpen, raised } from '../endpoint/health/backlog.ts';
import type { Health } from '../endpoint/health/health.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import { change } from '../endpoint/health/say.ts';
import type { Owner, SayPorts } from '../endpoint/health/say.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import { behind, endpointPartition, timeOfPlace } from '../shared/waiting.ts';
import type { Place } from '../shared/waiting.ts';
import { isParked } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { idsOf } from './discard.ts';
import type { DeliveryMessage } from './message.ts';

export interface ParkPorts extends SayPorts {
  readonly health: HealthStore;
  /** Writes that a delivery waits, without a new attempt; whoever has attempted it meanwhile stands. */
  readonly rewrite: (after: Delivery) => Promise<'recorded' | 'superseded'>;
  readonly retentionDays: number;
}

/**
 * Why a delivery waits, though its time has come. One more has to be counted (lib/monitoring/filters.ts) and explained
 * (docs/operations.md, `delivery.waits`); and let-in.ts says who brings back what waits for it.
 */
export type Cause = 'paused' | 'probed' | 'behind' | 'paced' | 'share';

/** What is parked now is found by then: the index is a little behind, and functions' clocks differ. */
const parkedMs = 3_000;

/**
 * Has a delivery wait for its endpoint as a row, and sees to it that somebody comes for it. Costs one write, and of one
 * function one more for each backlog; no attempt is used up.
 *
 * The row comes first and then the backlog: who dies between leaves a message that comes back and does the same.
 *
 * @param before the record, or nothing for a delivery that has none
 * @param health as it was read, perhaps some seconds ago: what has been emptied since is noticed by the drain, which
 * looks once more before it ends (recovery/drain)
 * @returns false when somebody has been faster: what is recorded decides anew.
 */
export async function park(
  ports: ParkPorts,
  message: DeliveryMessage,
  { before, health, cause }: { before: Delivery | undefined; health: Health; cause: Cause },
): Promise<boolean> {
  const { organizationId, endpointId } = message;
  const place = await placeOf(ports, message, before);
  const isWritten = (await ports.rewrite(parked(ports, message, { before, place }))) === 'recorded';
  ports.log('delivery.waits', { ...idsOf(message), cause, isParked: isWritten });
  if (isWritten) await raise(ports, { id: endpointId, organizationId }, health);
  return isWritten;
}

/**
 * Where a delivery waits: at the end. One that waits already, and that somebody asked for by hand, keeps its place; when
 * the drain has gone past that, what it sent was of the round before and ends, so the delivery is the next one.
 */
async function placeOf(
  { health, now }: ParkPorts,
  { endpointId, eventId }: DeliveryMessage,
  before: Delivery | undefined,
): Promise<Place> {
  if (before?.waitingAt === undefined || !isParked(before)) return behind(endpointId, eventId, now());
  const { waitingAt } = before;
  const through = (await health.readLatest(endpointId)).backlog?.through;
  return through === undefined || waitingAt > through
    ? { waiting: endpointPartition(endpointId), waitingAt }
    : behind(endpointId, eventId, timeOfPlace({ waitingAt: through }) + 1);
}

/** The record of a delivery that waits for its endpoint. */
function parked(
  { now, retentionDays }: ParkPorts,
  { organizationId, endpointId, eventId, eventType, round, trigger, lastError }: DeliveryMessage,
  { before, place }: { before: Delivery | undefined; place: Place },
): Delivery {
  const nowMs = now();
  const attemptCount = before?.attemptCount ?? 0;
  return {
    ...{ organizationId, endpointId, eventId, eventType, status: 'retrying', round, attemptCount },
    roundStart: before?.round === round ? before.roundStart : attemptCount,
    attempts: before?.attempts ?? [],
    ...(lastError === undefined ? {} : { lastError }),
    ...(trigger === 'scheduled' ? {} : { trigger }),
    ...place,
    updatedAt: isoTime(nowMs),
    expiresAt: expiryOf(nowMs, retentionDays),
  };
}

const triesMax = 5;

/**
 * Sees to it that an endpoint's health says that something waits.
 *
 * @throws when it cannot be written; whoever asks must come back.
 */
export async function raise(ports: ParkPorts, owner: Owner, known: Health): Promise<void> {
  if (isOpen(known.backlog)) return;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const before = await ports.health.readLatest(owner.id);
    if (isOpen(before.backlog)) return;
    const nowMs = ports.now();
    // A probe under way is answered long before its lease ends.
    const until = before.pause?.probing === true ? undefined : before.pause?.until;
    const dueMs = Math.max(nowMs + parkedMs, Date.parse(until ?? isoTime(nowMs)));
    const after = { ...before, backlog: raised(before.backlog, nowMs, dueMs) };
    if (await change(ports, owner, { before, after })) return;
  }
  throw new Error('the health of the endpoint changes at each look');
}
