import type { Health } from '../endpoint/health/health.ts';
import type { Verdict } from '../shared/batch.ts';
import { isoTime } from '../shared/time.ts';
import type { Versions } from '../shared/versions.ts';
import { attempt, hasTime } from './attempt.ts';
import type { AttemptPorts, Look } from './attempt.ts';
import { decide, isServed, reopening } from './decide.ts';
import type { Decision, Job, Known, Recipient } from './decide.ts';
import { discard, idsOf, lookAgain } from './discard.ts';
import { hold } from './hold.ts';
import { enterUnread, letIn, waitUnread } from './let-in.ts';
import type { LetInPorts } from './let-in.ts';
import { delayUntil } from './message.ts';
import type { DeliveryMessage } from './message.ts';
import { raise } from './park.ts';
import { followOrHold, lookLater, settleLate } from './settle.ts';

export interface DeliverPorts extends AttemptPorts, LetInPorts {
  /** As of the version of the organization's configuration that was seen last. */
  readonly readRecipient: (organizationId: string, endpointId: string) => Promise<Recipient>;
  readonly versions: Pick<Versions, 'latest' | 'told'>;
}

export interface Reception {
  /** When SQS took the message. */
  readonly sentAtMs: number;
  /** Whether it comes from the queue whose messages only fall, and not from a lane. */
  readonly isFalling: boolean;
  /** How often it has been received, this time included. */
  readonly receiveCount: number;
  /** Milliseconds that the function may still run. */
  readonly remainingMs: () => number;
}

/** A dead message sent later than this after its death has come back by a redrive. */
const fallingMsMax = 60_000;

/** Does what a message asks for: attempt, wait as a row, fall, open a new round, or end. */
export async function deliver(
  ports: DeliverPorts,
  message: DeliveryMessage,
  reception: Reception,
): Promise<Verdict> {
  const { dead, notBefore, outcome } = message;
  if (dead !== undefined) {
    const isFresh = reception.sentAtMs - Date.parse(dead.at) <= fallingMsMax;
    if (isFresh && reception.isFalling) return 'falling';
    if (isFresh) return fall(ports, { ...message, dead });
    // Among the dead it would have three receives: what lives again has fifty.
    await ports.send(reopening(message), 0);
    return 'done';
  } else if (notBefore !== undefined && Date.parse(notBefore) > ports.now()) {
    // Before anything is read.
    await ports.send(message, delayUntil(Date.parse(notBefore), ports.now()));
    return 'done';
  }
  if (outcome !== undefined) return settleLate(ports, { ...message, outcome });
  return act(ports, message, reception);
}

/** Of the version before, whose dead fell out of the lanes: there they would have to be received fifty times. */
async function fall(
  { bury, now }: DeliverPorts,
  message: DeliveryMessage & { readonly dead: NonNullable<DeliveryMessage['dead']> },
): Promise<Verdict> {
  await bury({ ...message, dead: { ...message.dead, at: isoTime(now()) } });
  return 'done';
}

async function act(ports: DeliverPorts, message: DeliveryMessage, reception: Reception): Promise<Verdict> {
  let recipient: Recipient;
  let health: Health;
  let known: Known | undefined;
  let isLetIn = false;
  let look: Look;
  ports.versions.told(message.organizationId, message.configuration);
  // Both at once: where neither is remembered, one answer is waited for instead of two.
  const reading = readHealth(ports, message);
  reading.catch(() => undefined);
  try {
    recipient = await ports.readRecipient(message.organizationId, message.endpointId);
  } catch (fault) {
    return hold(ports, heldAs(message, reception), { code: 'configuration_unavailable', fault });
  }
  try {
    health = await reading;
    if (reception.receiveCount === 1) {
      if (isSentAgain(message, health)) return drop(ports, message);
      if (isServed(recipient) && (await waitUnread(ports, message, health))) return 'done';
      const entry = await enterUnread(ports, message, {
        ...{ recipient, health, remainingMs: reception.remainingMs() },
      });
      if (entry === 'done') return 'done';
      isLetIn = entry === 'go';
    }
    // One request asks for both.
    [known, look] = await Promise.all([ports.readKnown(message), lookUp(ports, message)]);
    // The same again, unless it has been changed meanwhile.
    recipient = await ports.readRecipient(message.organizationId, message.endpointId);
  } catch (fault) {
    if (isLetIn) ports.share.exit(message.endpointId);
    const code = known === undefined ? 'ledger_unavailable' : 'configuration_unavailable';
    return hold(ports, heldAs(message, reception), { code, fault });
  }
  const decision = decide(message, { ...recipient, ...known, health });
  if (isLetIn && decision.kind !== 'attempt') ports.share.exit(message.endpointId);
  return carryOut(ports, decision, { message, known, health, reception, isLetIn, look });
}

async function lookUp({ versions, now }: DeliverPorts, { organizationId }: DeliveryMessage): Promise<Look> {
  const atMs = now();
  return { atMs, version: await versions.latest(organizationId) };
}

/** What may have recorded an attempt is never dropped unread: where it is held it is no message of a pass any more. */
function heldAs(message: DeliveryMessage, { receiveCount }: Reception): DeliveryMessage {
  if (receiveCount === 1) return message;
  const { pass, ...held } = message;
  return held;
}

/** How the endpoint does; of what has been brought back from its rows, not as of before its pass over them. */
async function readHealth(
  { health }: DeliverPorts,
  { endpointId, pass = 0 }: DeliveryMessage,
): Promise<Health> {
  const known = await health.read(endpointId);
  return pass > (known.backlog?.pass ?? 0) ? health.readLatest(endpointId) : known;
}

/** Whether a later pass over the rows that wait has sent, or will send, this one again. */
function isSentAgain({ pass }: DeliveryMessage, { backlog }: Health): boolean {
  return pass !== undefined && backlog !== undefined && pass < backlog.pass;
}

interface Situation {
  readonly message: DeliveryMessage;
  readonly known: Known;
  readonly health: Health;
  readonly reception: Reception;
  /** It has leave for its attempt already, and holds a place of its endpoint's share. */
  readonly isLetIn: boolean;
  readonly look: Look;
}

async function carryOut(
  ports: DeliverPorts,
  decision: Decision,
  { message, known, health, reception, isLetIn, look }: Situation,
): Promise<Verdict> {
  switch (decision.kind) {
    case 'drop':
      return drop(ports, message);
    case 'waits':
      if (reception.receiveCount > 1) await lookLater(ports, message);
      return keepWaiting(ports, message, health);
    case 'follow':
      ports.log('delivery.resumed', idsOf(message));
      return followOrHold(ports, message, decision.delivery);
    case 'discard':
      return discard(ports, decision, known.delivery);
    case 'attempt':
      if (isSentAgain(message, health)) {
        await lookLater(ports, message);
        return drop(ports, message);
      }
      return gated(ports, decision.job, { health, reception, isLetIn, look });
  }
}

function drop({ log }: DeliverPorts, message: DeliveryMessage): Verdict {
  log('delivery.dropped', idsOf(message));
  return 'done';
}

/** Its row is there; perhaps it was this very message that should have said so in the endpoint's health. */
async function keepWaiting(ports: DeliverPorts, message: DeliveryMessage, health: Health): Promise<Verdict> {
  try {
    await raise(ports, { id: message.endpointId, organizationId: message.organizationId }, health);
    return drop(ports, message);
  } catch (fault) {
    return hold(ports, message, { code: 'ledger_unavailable', fault });
  }
}

async function gated(
  ports: DeliverPorts,
  job: Job,
  { health, reception, isLetIn, look }: Pick<Situation, 'health' | 'reception' | 'isLetIn' | 'look'>,
): Promise<Verdict> {
  const { message } = job;
  let verdict: 'go' | 'probe' | 'done' = 'go';
  if (!isLetIn) {
    if (!hasTime(job, reception.remainingMs())) {
      // Nothing has begun: another function has more time, and none of the message's receives is used up.
      await lookAgain(ports, message);
      return 'done';
    }
    try {
      verdict = await letIn(ports, job, health);
    } catch (fault) {
      return hold(ports, message, { code: 'ledger_unavailable', fault });
    }
  }
  if (verdict === 'done') {
    if (reception.receiveCount > 1) await lookLater(ports, message);
    return 'done';
  }
  if (hasTime(job, reception.remainingMs()))
    return attempt(ports, job, { isProbe: verdict === 'probe', look, health });
  // A call on the way here was slow.
  ports.share.exit(job.endpoint.id);
  await lookAgain(ports, message);
  return 'done';
}
