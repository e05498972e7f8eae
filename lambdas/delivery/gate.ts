import { isOpen } from '../endpoint/health/backlog.ts';
import { admission, leased } from '../endpoint/health/health.ts';
import type { Health } from '../endpoint/health/health.ts';
import { pace } from '../endpoint/health/pace.ts';
import type { Take } from '../endpoint/health/pace.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import { isHeld } from '../endpoint/health/slow.ts';
import type { Now } from '../shared/time.ts';
import type { Job } from './decide.ts';
import type { DeliveryMessage } from './message.ts';
import type { Cause } from './park.ts';
import type { Share } from './share.ts';

export interface GatePorts {
  readonly health: HealthStore;
  readonly take: Take;
  readonly share: Share;
  readonly now: Now;
}

/** Why a delivery must wait for its endpoint, as far as its health tells; nothing else need be read for it. */
export function waitsFor(
  message: DeliveryMessage,
  health: Health,
  nowMs: number,
): Extract<Cause, 'paused' | 'behind'> | undefined {
  if (admission(health, nowMs).kind === 'wait') return 'paused';
  // What waits already goes first; but who clicks for one does not wait for a hundred thousand others.
  const isClicked = message.trigger === 'manual' && message.isOfMany === undefined;
  const mayPass = message.pass !== undefined || isClicked;
  return isOpen(health.backlog) && !mayPass ? 'behind' : undefined;
}

/**
 * Lets an attempt begin, or says why it must wait: an endpoint may hold only so many at once; after a pause one probe
 * goes, by whoever takes the lease; and a pace is kept for all functions together. Who is let in holds a place of its
 * endpoint's share, and gives it back (`share.exit`).
 */
export async function askToBegin(
  ports: GatePorts,
  { message, endpoint, policy }: Pick<Job, 'message' | 'endpoint' | 'policy'>,
  health: Health,
): Promise<'go' | 'probe' | Cause> {
  const cause = waitsFor(message, health, ports.now());
  if (cause !== undefined) return cause;
  if (!(await ports.share.enter(endpoint.id, isHeld(health, ports.now())))) return 'share';
  try {
    const verdict = await askLeave(ports, { endpoint, policy }, health);
    if (verdict !== 'go' && verdict !== 'probe') ports.share.exit(endpoint.id);
    return verdict;
  } catch (fault) {
    ports.share.exit(endpoint.id);
    throw fault;
  }
}

async function askLeave(
  { health: store, take, now }: GatePorts,
  { endpoint, policy }: Pick<Job, 'endpoint' | 'policy'>,
  health: Health,
): Promise<'go' | 'probe' | 'probed' | 'paced'> {
  if (health.pause !== undefined) return askToProbe({ store, now }, endpoint.id, health);
  const perSecond = pace(policy, health, now());
  return perSecond === undefined || (await take(endpoint.id, perSecond)) ? 'go' : 'paced';
}

/** Whatever is written of the health, a step of the drain too, is no reason to leave the probe to nobody. */
const triesMax = 3;

/** Takes the lease of the breaker, unless somebody has it, or the pause has ended or begun anew. */
async function askToProbe(
  { store, now }: { readonly store: HealthStore; readonly now: Now },
  endpointId: string,
  known: Health,
): Promise<'probe' | 'probed'> {
  let health = known;
  for (let tries = 0; tries < triesMax; tries += 1) {
    if (await store.replace(endpointId, health, leased(health, now()))) return 'probe';
    health = await store.readLatest(endpointId);
    if (admission(health, now()).kind !== 'probe') break;
  }
  return 'probed';
}
