import { operatorEvent } from '../../event/operator-event.ts';
import type { Announce } from '../../event/operator-event.ts';
import { nameOfFault } from '../../shared/log.ts';
import type { Log } from '../../shared/log.ts';
import { isoTime } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import type { Endpoint } from '../endpoint.ts';
import { isAhead } from './health.ts';
import type { Health } from './health.ts';
import type { HealthStore } from './remembered.ts';

export interface SayPorts {
  readonly health: Pick<HealthStore, 'replace'>;
  readonly announce: Announce;
  readonly now: Now;
  readonly log: Log;
}

interface Change {
  readonly before: Health;
  readonly after: Health;
}

/** For so long others leave it to this worker to say what is unsaid. */
const sayingMs = 40_000;

/**
 * Writes the health of an endpoint, and says what a person must know of the change; false when somebody has been
 * faster. What could not be said stays written, and is said by whoever delivers to this endpoint next.
 */
export async function change(
  ports: SayPorts,
  endpoint: Endpoint,
  { before, after }: Change,
): Promise<boolean> {
  const { health, now, log } = ports;
  const { id: endpointId, organizationId } = endpoint;
  if (after.unsaid.length === 0) return health.replace(endpointId, before, after);
  const saying = { ...after, sayAfter: isoTime(now() + sayingMs) };
  if (!(await health.replace(endpointId, before, saying))) return false;
  try {
    for (const { kind, ...said } of after.unsaid)
      await ports.announce(operatorEvent(`endpoint.${kind}`, { organizationId, endpointId, ...said }));
    const written = { ...saying, version: before.version + 1 };
    // If somebody has changed it meanwhile, it is said twice rather than never.
    await health.replace(endpointId, written, { ...written, unsaid: [], sayAfter: undefined });
  } catch (fault) {
    log('health.unsaid', { organizationId, endpointId, fault: nameOfFault(fault) });
  }
  return true;
}

/**
 * Says what a worker that died has left unsaid. Never throws: there will be another one who sees it.
 *
 * @returns whether the health has been written since, so that what was read of it is old.
 */
export async function sayUnsaid(ports: SayPorts, endpoint: Endpoint, health: Health): Promise<boolean> {
  if (health.unsaid.length === 0 || isAhead(health.sayAfter, ports.now())) return false;
  try {
    await change(ports, endpoint, { before: health, after: health });
  } catch (fault) {
    const { id: endpointId, organizationId } = endpoint;
    ports.log('health.unsaid', { organizationId, endpointId, fault: nameOfFault(fault) });
  }
  return true;
}
