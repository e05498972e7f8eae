import type { Health } from '../endpoint/health/health.ts';
import { effectivePolicy } from '../organization/policy.ts';
import { isoTime } from '../shared/time.ts';
import { hasTime } from './attempt.ts';
import { isServed } from './decide.ts';
import type { Job, Recipient } from './decide.ts';
import { idsOf, lookAgain } from './discard.ts';
import { askToBegin, waitsFor } from './gate.ts';
import type { GatePorts } from './gate.ts';
import type { HoldPorts } from './hold.ts';
import { isFirst } from './message.ts';
import type { DeliveryMessage } from './message.ts';
import { park } from './park.ts';
import type { Cause, ParkPorts } from './park.ts';

export interface LetInPorts extends GatePorts, ParkPorts, Pick<HoldPorts, 'send' | 'random'> {}

/** Asks for leave for an attempt, or has the delivery wait. */
export async function letIn(ports: LetInPorts, job: Job, health: Health): Promise<'go' | 'probe' | 'done'> {
  const verdict = await askToBegin(ports, job, health);
  if (verdict === 'go' || verdict === 'probe') return verdict;
  await wait(ports, job, { health, cause: verdict });
  return 'done';
}

/**
 * Has wait what cannot be attempted now, before anything else is read for it: a million deliveries may wait for one
 * endpoint. A row that was brought back is still there; a first message is not expected to have one.
 */
export async function waitUnread(
  ports: LetInPorts,
  message: DeliveryMessage,
  health: Health,
): Promise<boolean> {
  const cause = health.off === undefined ? waitsFor(message, health, ports.now()) : undefined;
  if (cause === undefined) return false;
  if (message.pass !== undefined) {
    logWaits(ports, message, cause);
    return true;
  }
  return isFirst(message) && (await park(ports, message, { before: undefined, health, cause }));
}

/**
 * Asks for leave before anything is read for what was brought back from a row: above the pace it comes again and again,
 * and each time its event would be read with its body.
 *
 * Not while a probe is wanted. Whoever takes the lease and then finds that there is nothing to send has paused the
 * endpoint for nothing.
 *
 * @returns nothing when leave is to be asked for later
 */
export async function enterUnread(
  ports: LetInPorts,
  message: DeliveryMessage,
  { recipient, health, remainingMs }: { recipient: Recipient; health: Health; remainingMs: number },
): Promise<'go' | 'done' | undefined> {
  const { organization, endpoint } = recipient;
  if (message.pass === undefined || health.pause !== undefined || health.off !== undefined) return undefined;
  if (organization === undefined || endpoint === undefined || !isServed(recipient)) return undefined;
  const policy = effectivePolicy(endpoint.policy, organization.policy);
  if (!hasTime({ policy }, remainingMs)) return undefined;
  const verdict = await askToBegin(ports, { message, endpoint, policy }, health);
  if (verdict === 'go' || verdict === 'probe') return 'go';
  await tryLater(ports, message, verdict);
  return 'done';
}

/** The lane may have been late, and all that it held come at once: that is spread over as long as it was late. */
const spreadSecondsMax = 120;

/** Has a delivery wait that is not let in. */
async function wait(
  ports: LetInPorts,
  { message, delivery }: Job,
  { health, cause }: { health: Health; cause: Cause },
): Promise<void> {
  if (message.pass === undefined) {
    const isParked = await park(ports, message, { before: delivery, health, cause });
    if (!isParked) await lookAgain(ports, message);
    return;
  }
  await tryLater(ports, message, cause);
}

/** Has what was brought back from a row, and is still there, come again. */
async function tryLater(ports: LetInPorts, message: DeliveryMessage, cause: Cause): Promise<void> {
  logWaits(ports, message, cause);
  // While its endpoint is paused it is sent again in the next pass, else it is tried again by itself.
  if (cause === 'paused' || cause === 'probed') return;
  const lateSeconds = (ports.now() - Date.parse(message.notBefore ?? isoTime(ports.now()))) / 1000;
  const spread = Math.min(spreadSecondsMax, 2 + Math.max(0, lateSeconds));
  await ports.send(message, Math.ceil(1 + ports.random() * spread));
}

function logWaits({ log }: LetInPorts, message: DeliveryMessage, cause: Cause): void {
  log('delivery.waits', { ...idsOf(message), cause });
}
