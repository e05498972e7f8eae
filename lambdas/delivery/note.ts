import type { Endpoint } from '../endpoint/endpoint.ts';
import { observe } from '../endpoint/health/observe.ts';
import type { Observation } from '../endpoint/health/observe.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import { change } from '../endpoint/health/say.ts';
import type { SayPorts } from '../endpoint/health/say.ts';
import { observeSlow } from '../endpoint/health/slow.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import type { Job, Recipient } from './decide.ts';

export interface NotePorts extends SayPorts {
  readonly health: HealthStore;
  /** Asks the table, not what is remembered of it. */
  readonly readRecipientLatest: (organizationId: string, endpointId: string) => Promise<Recipient>;
}

/** More are not needed: whoever was faster each time has noted the same. */
const triesMax = 3;

/**
 * Notes what an attempt told of its endpoint. Never throws: what cannot be noted will be seen again at the next
 * attempt, and must not keep a delivery from its end.
 */
export async function note(
  ports: NotePorts,
  { endpoint, policy }: Pick<Job, 'endpoint' | 'policy'>,
  observation: Observation,
): Promise<void> {
  const { health, now, log } = ports;
  try {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const before = await (tries === 0 ? health.read(endpoint.id) : health.readLatest(endpoint.id));
      const after = observe(before, observation, { policy, nowMs: now() });
      if (after === before || (await change(ports, endpoint, { before, after }))) return;
    }
  } catch (fault) {
    logUnnoted(log, endpoint, fault);
  }
}

/**
 * Notes that an endpoint takes long before it has answered: the sooner it is held to its share, the fewer of others
 * wait behind it. Never throws; its answer will tell the same.
 */
export async function noteSlow(ports: NotePorts, endpoint: Endpoint, meanMs: number): Promise<void> {
  const { health, now, log } = ports;
  try {
    const before = await health.read(endpoint.id);
    const after = observeSlow(before, meanMs, now());
    // Whoever was faster has most likely noted this.
    if (after !== before) await change(ports, endpoint, { before, after });
  } catch (fault) {
    logUnnoted(log, endpoint, fault);
  }
}

function logUnnoted(log: Log, { id: endpointId, organizationId }: Endpoint, fault: unknown): void {
  log('health.unnoted', { organizationId, endpointId, fault: nameOfFault(fault) });
}
