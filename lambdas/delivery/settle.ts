import { expiryOf, isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { dueAt } from '../shared/waiting.ts';
import { attemptsKeptMax } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import type { Known } from './decide.ts';
import { follow } from './follow.ts';
import type { FollowPorts } from './follow.ts';
import { hold } from './hold.ts';
import type { HoldPorts } from './hold.ts';
import { delaySecondsMax } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface SettlePorts extends HoldPorts, FollowPorts {
  readonly readKnown: (message: DeliveryMessage) => Promise<Known>;
  readonly record: (after: Delivery) => Promise<'recorded' | 'superseded'>;
  readonly retentionDays: number;
}

/** A message whose attempt has been made. */
export type Attempted = DeliveryMessage & { readonly outcome: NonNullable<DeliveryMessage['outcome']> };

/**
 * Records what became of an attempt, and sends what follows. While it cannot be recorded the outcome travels in the
 * message: the receiver has had its request, and must not get it again because a table of ours is down.
 *
 * @param before what was read before the attempt
 */
export async function settle(
  ports: SettlePorts,
  message: Attempted,
  before: Delivery | undefined,
): Promise<'done'> {
  let after: Delivery | undefined;
  try {
    after = await recorded(ports, message, before);
  } catch (fault) {
    return hold(ports, message, { code: 'ledger_unavailable', fault });
  }
  return after === undefined ? 'done' : followOrHold(ports, message, after);
}

/** Does the same for an outcome that has travelled. */
export async function settleLate(ports: SettlePorts, message: Attempted): Promise<'done'> {
  let known: Known;
  try {
    known = await ports.readKnown(message);
  } catch (fault) {
    return hold(ports, message, { code: 'ledger_unavailable', fault });
  }
  const { delivery } = known;
  if (delivery !== undefined && isRecorded(delivery, message)) return followOrHold(ports, message, delivery);
  return settle(ports, message, delivery);
}

/**
 * Whether the outcome that has travelled is recorded already: its write was made and the answer lost, or it was made
 * and what follows could not be sent. It may have got another number, and no other attempt of it began at its time.
 */
function isRecorded({ round, attempts }: Delivery, { round: own, outcome }: Attempted): boolean {
  return round === own && attempts.at(-1)?.at === outcome.made.at;
}

/** Sends what a record owes; while that cannot be sent it is put off. */
export async function followOrHold(
  ports: HoldPorts & FollowPorts,
  message: DeliveryMessage,
  delivery: Delivery,
): Promise<'done'> {
  try {
    await follow(ports, delivery);
    return 'done';
  } catch (fault) {
    // It is recorded, so no later pass over the rows sends it again.
    const { pass, ...owed } = message;
    return hold(ports, owed, { code: 'bus_unavailable', fault });
  }
}

/** Something was recorded while this was decided, or time is short: it is decided anew. */
export async function lookAgain(
  { send }: Pick<FollowPorts, 'send'>,
  message: DeliveryMessage,
): Promise<void> {
  await send(message, 1);
}

/** By then whoever works on another copy has sent what follows, tries included, or has died. */
const lookLaterSeconds = 90;

/**
 * Has a copy of a message come once more, without an attempt of its own. Another copy is, or may be, under way: should
 * it record an attempt and die, the message does not come again, as this copy acknowledges it.
 */
export async function lookLater(
  { send }: Pick<FollowPorts, 'send'>,
  { outcome, pass, ...message }: DeliveryMessage,
): Promise<void> {
  await send(message, lookLaterSeconds);
}

/**
 * Records an attempt. Another one may have taken its number meanwhile: one of a round before, which was under way when
 * this round was asked for. Then it is read again, and this one comes after it.
 *
 * @returns `undefined` when somebody else has recorded what came of it, who will also send what follows.
 */
async function recorded(
  ports: SettlePorts,
  message: Attempted,
  before: Delivery | undefined,
): Promise<Delivery | undefined> {
  const after = settled(ports, message, before);
  if ((await ports.record(after)) === 'recorded') return after;
  const { delivery } = await ports.readKnown(message);
  if (delivery === undefined || delivery.round > message.round) return undefined;
  if (delivery.round === message.round) {
    if (delivery.owes !== undefined) await lookLater(ports, message);
    return undefined;
  }
  const { made, ...rest } = message.outcome;
  const number = delivery.attemptCount + 1;
  return recorded(
    ports,
    { ...message, attempt: number, outcome: { ...rest, made: { ...made, number } } },
    delivery,
  );
}

const statusOf = { delivered: 'delivered', retry: 'retrying', dead: 'dead', failed: 'failed' } as const;

/** The delivery after an attempt: with the place where it waits, or what the record owes. */
function settled(
  { now, retentionDays }: { readonly now: Now; readonly retentionDays: number },
  { organizationId, endpointId, eventId, eventType, round, outcome }: Attempted,
  before: Delivery | undefined,
): Delivery {
  const { made, nextAttemptAt } = outcome;
  const nowMs = now();
  return {
    ...{ organizationId, endpointId, eventId, eventType, status: statusOf[made.outcome], round },
    roundStart: before?.round === round ? before.roundStart : made.number - 1,
    attemptCount: made.number,
    attempts: [...(before?.attempts ?? []), made].slice(-attemptsKeptMax),
    ...(made.code === undefined ? {} : { lastError: made.code }),
    ...(nextAttemptAt === undefined ? {} : waiting(endpointId, eventId, { nextAttemptAt, nowMs })),
    ...(made.outcome === 'dead' ? { owes: 'letter' as const } : {}),
    updatedAt: isoTime(nowMs),
    expiresAt: expiryOf(nowMs, retentionDays),
  };
}

/** How the next attempt comes: by a message as far as SQS can delay it, from a row that somebody comes for beyond. */
function waiting(
  endpointId: string,
  eventId: string,
  { nextAttemptAt, nowMs }: { nextAttemptAt: string; nowMs: number },
) {
  const atMs = Date.parse(nextAttemptAt);
  const isLong = atMs - nowMs > delaySecondsMax * 1000;
  return { nextAttemptAt, ...(isLong ? dueAt(atMs, endpointId, eventId) : { owes: 'message' as const }) };
}
