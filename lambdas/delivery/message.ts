import { z } from 'zod';
import { attempt, trigger } from './attempt-record.ts';
import { endpointId, eventId, organizationId } from '../shared/identifier.ts';
import { parseJson } from '../shared/json.ts';
import { isoTime } from '../shared/time.ts';

/** What became of an attempt, as it is recorded; nothing of what was sent or answered. */
const outcome = z.object({
  made: attempt.omit({ responseBody: true }),
  /** When the next one may be made, if there is one. */
  nextAttemptAt: z.iso.datetime().exactOptional(),
});

const dead = z.object({
  /** When this very message was sent: SQS's own time of sending is compared with it. */
  at: z.iso.datetime(),
  attempts: z.number().int().positive(),
  lastError: z.string(),
});

/**
 * What travels in `deliveries` and `retries`: references only, so that a message in the dead-letter queue explains
 * itself and tells nothing of the payload. A change of meaning takes a new `v`; both are read during a deploy.
 */
export const deliveryMessage = z.object({
  v: z.literal(1),
  organizationId,
  endpointId,
  eventId,
  eventType: z.string(),
  /** Number of the attempt that this message asks for, counted over all rounds. */
  attempt: z.number().int().positive(),
  /** 1 at first; a redrive, a retry by hand or a recovery opens the next one with a fresh budget. */
  round: z.number().int().positive(),
  /** Not to be tried before. */
  notBefore: z.iso.datetime().exactOptional(),
  /** It was brought back from the rows that wait for its endpoint, in this pass over them; its row is still there. */
  pass: z.number().int().exactOptional(),
  trigger,
  /** One of many that were asked for at once: it waits behind what waits for its endpoint already. */
  isOfMany: z.literal(true).exactOptional(),
  /** Version of the organization's configuration by which it was routed (shared/versions.ts). */
  configuration: z.number().int().exactOptional(),
  /** Code of the attempt before. */
  lastError: z.string().exactOptional(),
  /** How often it was put off in a row because something of ours did not work. */
  putOff: z.number().int().exactOptional(),
  /** Its attempt has been made, and could not be recorded yet. */
  outcome: outcome.exactOptional(),
  /** Attempts are used up: this message only falls into the dead-letter queue. */
  dead: dead.exactOptional(),
});

export type DeliveryMessage = z.output<typeof deliveryMessage>;

/** Reads a message's body; `undefined` for a poisonous one. */
export function readMessage(body: string): DeliveryMessage | undefined {
  try {
    return deliveryMessage.parse(parseJson(body));
  } catch {
    return undefined;
  }
}

/** The message as SQS takes it: the endpoint is the group, so that a noisy one stands back (fair queues). */
export function outgoing(message: DeliveryMessage, delaySeconds: number) {
  return { body: JSON.stringify(message), delaySeconds, groupId: message.endpointId };
}

export interface FirstAttempt {
  readonly organizationId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly configuration?: number;
}

/** The message that asks for the first attempt of a delivery. */
export function firstMessage({
  organizationId,
  endpointId,
  eventId,
  eventType,
  configuration,
}: FirstAttempt): DeliveryMessage {
  const ids = { organizationId, endpointId, eventId, eventType };
  const first = { v: 1, ...ids, attempt: 1, round: 1, trigger: 'scheduled' } as const;
  return configuration === undefined ? first : { ...first, configuration };
}

/** The longest that SQS delays a message; what waits longer waits as a row. */
export const delaySecondsMax = 900;

/** Seconds to delay a message that must wait until a moment, as far as SQS can. */
export function delayUntil(notBeforeMs: number, nowMs: number): number {
  return Math.min(delaySecondsMax, Math.max(0, Math.ceil((notBeforeMs - nowMs) / 1000)));
}

/** The same message, to be looked at again at a later moment. */
export function waitingUntil(message: DeliveryMessage, notBeforeMs: number): DeliveryMessage {
  return { ...message, notBefore: isoTime(notBeforeMs) };
}

/** Whether a message asks for the first attempt of a delivery, as routing sends it. */
export function isFirst({ attempt, round, trigger }: DeliveryMessage): boolean {
  return attempt === 1 && round === 1 && trigger === 'scheduled';
}
