import type { Health } from '../endpoint/health/health.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import { observe, observeSlow } from '../endpoint/health/observe.ts';
import type { Observation } from '../endpoint/health/observe.ts';
import { change } from '../endpoint/health/say.ts';
import type { SayPorts } from '../endpoint/health/say.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import type { Job } from './decide.ts';

export interface NotePorts extends SayPorts {
  readonly health: HealthStore;
}

/** More are not needed: whoever was faster each time has noted the same. */
const triesMax = 3;

/**
 * Notes what an attempt told of its endpoint. Never throws: what cannot be noted will be seen again at the next
 * attempt, and must not keep a delivery from its end.
 *
 * @returns whether nothing is left to say of it that the next delivery to it would not say.
 */
export async function note(
  ports: NotePorts,
  { endpoint, policy }: Pick<Job, 'endpoint' | 'policy'>,
  observation: Observation,
): Promise<boolean> {
  const { health, now, log } = ports;
  try {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const before = await (tries === 0 ? health.read(endpoint.id) : health.readLatest(endpoint.id));
      const after = observe(before, observation, { policy, nowMs: now() });
      if (after === before) return isSaid(before);
      if (await change(ports, endpoint, { before, after })) {
        return isSaid(after) || isSaid(await health.readLatest(endpoint.id));
      }
    }
  } catch (fault) {
    logUnnoted(log, endpoint, fault);
  }
  return true;
}

/**
 * Notes that an endpoint takes long before it has answered: the sooner it leaves the lane of fresh events, the fewer
 * of others wait behind it. Never throws; its answer will tell the same.
 */
export async function noteSlow({ health, now, log }: NotePorts, endpoint: Endpoint): Promise<void> {
  try {
    const before = await health.read(endpoint.id);
    const after = observeSlow(before, now());
    // Whoever was faster has most likely noted this.
    if (after !== before) await health.replace(endpoint.id, before, after);
  } catch (fault) {
    logUnnoted(log, endpoint, fault);
  }
}

function logUnnoted(log: Log, { id: endpointId, organizationId }: Endpoint, fault: unknown): void {
  log('health.unnoted', { organizationId, endpointId, fault: nameOfFault(fault) });
}

/** To an endpoint that is switched off there may be no next delivery. */
function isSaid({ off, unsaid }: Health): boolean {
  return off === undefined || unsaid.length === 0;
}
