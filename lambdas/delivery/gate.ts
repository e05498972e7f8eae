import { admission, isAhead, leased } from '../endpoint/health/health.ts';
import type { Health } from '../endpoint/health/health.ts';
import { burstMs, lineMs, pace, slotMs } from '../endpoint/health/pace.ts';
import type { Reserve } from '../endpoint/health/pace.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import type { Log } from '../shared/log.ts';
import type { Now } from '../shared/time.ts';
import type { Job } from './decide.ts';
import { hopSeconds, isFresh, waitingUntil } from './message.ts';
import type { DeliveryMessage } from './message.ts';

export interface GatePorts {
  readonly health: HealthStore;
  readonly reserve: Reserve;
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  readonly now: Now;
  readonly random: () => number;
  readonly log: Log;
}

/** Why a delivery waits, though its time has come. */
type Cause = 'paused' | 'probed' | 'paced' | 'slow';

/**
 * Puts off what cannot be attempted now, before anything else is read for it: two hundred thousand deliveries may
 * wait for one endpoint. No attempt is used up by it.
 *
 * @returns whether the message has been put off.
 */
export async function putOff(ports: GatePorts, message: DeliveryMessage, health: Health): Promise<boolean> {
  const nowMs = ports.now();
  const admitted = admission(health, nowMs, ports.random());
  if (admitted.kind === 'wait') {
    // Each hop looks again, so that what a person resumes comes back within one.
    const untilMs = Math.min(admitted.untilMs, nowMs + lineMs);
    await wait(ports, waitingUntil(message, untilMs), 'paused');
    return true;
  }
  // A batch is as slow as its slowest delivery: fresh events must not wait behind a receiver that takes long.
  if (isFresh(message) && isAhead(health.slowUntil, nowMs)) {
    await wait(ports, waitingUntil(message, nowMs), 'slow');
    return true;
  }
  return false;
}

/**
 * Lets an attempt through, or puts it off: after a pause one probe goes, by whoever takes the lease; an endpoint
 * that is held to a pace has slots.
 */
export async function pass(ports: GatePorts, job: Job, health: Health): Promise<'go' | 'probe' | 'waits'> {
  const { message, endpoint, policy } = job;
  const nowMs = ports.now();
  if (health.pause !== undefined) {
    const lease = leased(health, nowMs);
    if (await ports.health.replace(endpoint.id, health, lease)) return 'probe';
    const admitted = admission(lease, nowMs, ports.random());
    const untilMs = admitted.kind === 'wait' ? admitted.untilMs : nowMs;
    await wait(ports, waitingUntil(message, untilMs), 'probed');
    return 'waits';
  }
  const perSecond = pace(policy, health, nowMs);
  if (perSecond === undefined || hasSlot(message, nowMs)) return 'go';
  const slot = await ports.reserve(endpoint.id, perSecond);
  if (slot === undefined) {
    const untilMs = nowMs + Math.round(lineMs * (2 / 3 + ports.random() / 3));
    await wait(ports, waitingUntil(message, untilMs), 'paced');
    return 'waits';
  }
  if (slot <= nowMs + burstMs) return 'go';
  await wait(ports, { ...waitingUntil(message, slot), paced: true }, 'paced');
  return 'waits';
}

function hasSlot({ paced, notBefore }: DeliveryMessage, nowMs: number): boolean {
  return paced === true && isAhead(notBefore, nowMs - slotMs);
}

async function wait({ send, now, log }: GatePorts, message: DeliveryMessage, cause: Cause): Promise<void> {
  const { organizationId, endpointId, eventId, notBefore } = message;
  log('delivery.waits', { organizationId, endpointId, eventId, cause, notBefore });
  await send(message, hopSeconds(Date.parse(notBefore ?? ''), now()));
}
