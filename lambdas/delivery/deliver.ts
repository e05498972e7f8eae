import type { Health } from '../endpoint/health/health.ts';
import { sayUnsaid } from '../endpoint/health/say.ts';
import type { Verdict } from '../shared/batch.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import { attempt, followOrHold, hasTime } from './attempt.ts';
import type { AttemptPorts } from './attempt.ts';
import { decide, isServed } from './decide.ts';
import type { Decision, Job, Known, Recipient } from './decide.ts';
import type { Delivery } from './delivery.ts';
import { pass, putOff } from './gate.ts';
import type { GatePorts } from './gate.ts';
import { hold } from './hold.ts';
import { hopSeconds } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface DeliverPorts extends AttemptPorts, GatePorts {
  readonly readRecipient: (organizationId: string, endpointId: string) => Promise<Recipient>;
  readonly readKnown: (message: DeliveryMessage) => Promise<Known>;
}

export interface Reception {
  /** When SQS took the message. */
  readonly sentAtMs: number;
  readonly receiveCount: number;
  /** Milliseconds that the function may still run. */
  readonly remainingMs: () => number;
}

/** A dead message sent later than this after its death has come back by a redrive (DESIGN.md, section 2). */
const fallingMsMax = 60_000;

/** Does what a message asks for: wait, fall, attempt, or end (DESIGN.md, sections 2 and 4). */
export async function deliver(
  ports: DeliverPorts,
  message: DeliveryMessage,
  reception: Reception,
): Promise<Verdict> {
  const { dead, notBefore } = message;
  // Kept in the message itself, as a hop or a hold sends a new one, whose own receives begin at one.
  const seen = reception.receiveCount > 1 ? { ...message, again: true as const } : message;
  if (dead !== undefined) {
    if (reception.sentAtMs - Date.parse(dead.at) <= fallingMsMax) return 'falling';
  } else if (notBefore !== undefined && Date.parse(notBefore) > ports.now()) {
    // Before anything is read: a wait of 35 hours is 140 hops.
    await ports.send(seen, hopSeconds(Date.parse(notBefore), ports.now()));
    return 'done';
  }
  return act(ports, seen, reception);
}

async function act(ports: DeliverPorts, message: DeliveryMessage, reception: Reception): Promise<Verdict> {
  let recipient: Recipient;
  let health: Health;
  let known: Known;
  try {
    recipient = await ports.readRecipient(message.organizationId, message.endpointId);
  } catch (fault) {
    return hold(ports, message, { code: 'configuration_unavailable', fault });
  }
  try {
    health = await readHealth(ports, message.endpointId, recipient);
  } catch (fault) {
    return hold(ports, message, { code: 'ledger_unavailable', fault });
  }
  if (isServed(recipient) && (await putOff(ports, message, health))) return 'done';
  try {
    known = await ports.readKnown(message);
  } catch (fault) {
    return hold(ports, message, { code: 'ledger_unavailable', fault });
  }
  const { sentAtMs } = reception;
  const decision = decide(message, { ...recipient, ...known, health, sentAtMs, nowMs: ports.now() });
  return carryOut(ports, decision, { message, known, health, reception });
}

/** How the endpoint does; what is unsaid of it is said first, also while all deliveries to it wait. */
async function readHealth(ports: DeliverPorts, id: string, { endpoint }: Recipient): Promise<Health> {
  const health = await ports.health.read(id);
  if (endpoint === undefined || !(await sayUnsaid(ports, endpoint, health))) return health;
  // Saying it has written it: over the version that was read no lease could be taken any more.
  return ports.health.readLatest(id);
}

interface Situation {
  readonly message: DeliveryMessage;
  readonly known: Known;
  readonly health: Health;
  readonly reception: Reception;
}

async function carryOut(
  ports: DeliverPorts,
  decision: Decision,
  { message, known, health, reception }: Situation,
): Promise<Verdict> {
  const { organizationId, endpointId, eventId, attempt: number, round } = message;
  const ids = { organizationId, endpointId, eventId, attempt: number, round };
  switch (decision.kind) {
    case 'drop':
      ports.log('delivery.dropped', ids);
      return 'done';
    case 'follow':
      ports.log('delivery.resumed', ids);
      return followOrHold(ports, message, decision.delivery);
    case 'discard': {
      const after = discarded(ports, decision, known.delivery);
      ports.log('delivery.discarded', {
        ...ids,
        reason: decision.reason,
        recorded: await ports.record(after),
      });
      return 'done';
    }
    case 'attempt':
      return gated(ports, decision.job, { health, reception });
  }
}

async function gated(
  ports: DeliverPorts,
  job: Job,
  { health, reception }: Pick<Situation, 'health' | 'reception'>,
): Promise<Verdict> {
  // Nothing has begun, so the message may come back for another invocation.
  if (!hasTime(job, reception.remainingMs())) return 'failed';
  let passed: 'go' | 'probe' | 'waits';
  try {
    passed = await pass(ports, job, health);
  } catch (fault) {
    return hold(ports, job.message, { code: 'ledger_unavailable', fault });
  }
  return passed === 'waits' ? 'done' : attempt(ports, job, passed === 'probe');
}

/** The delivery after it was deliberately not made. */
function discarded(
  { now, retentionDays }: DeliverPorts,
  { message, reason }: Extract<Decision, { kind: 'discard' }>,
  before: Delivery | undefined,
): Delivery {
  const { organizationId, endpointId, eventId, eventType, round } = message;
  const attemptCount = before?.attemptCount ?? 0;
  return {
    organizationId,
    endpointId,
    eventId,
    eventType,
    status: 'discarded',
    reason,
    round,
    roundStart: before?.round === round ? before.roundStart : attemptCount,
    attemptCount,
    attempts: before?.attempts ?? [],
    ...(before?.lastError === undefined ? {} : { lastError: before.lastError }),
    updatedAt: isoTime(now()),
    expiresAt: expiryOf(now(), retentionDays),
  };
}
