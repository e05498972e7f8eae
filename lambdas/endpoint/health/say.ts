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

/** Whose health it is. */
export type Owner = Pick<Endpoint, 'id' | 'organizationId'>;

export interface SayPorts {
  readonly health: Pick<HealthStore, 'replace'>;
  readonly announce: Announce;
  /** Has the rows of an endpoint looked after (recovery/drain), after some seconds. */
  readonly startDrain: StartDrain;
  readonly now: Now;
  readonly log: Log;
}

export type StartDrain = (owner: Owner, turn: number, delaySeconds: number) => Promise<void>;

interface Change {
  readonly before: Health;
  readonly after: Health;
}

/** For so long others leave it to this worker to say what is unsaid. */
const sayingMs = 40_000;

/**
 * Writes the health of an endpoint, and does what follows from it: says what a person must know, and has what waits
 * looked after when its time has changed. False when somebody has been faster. The health itself says what follows,
 * so what this worker does not get to do is done by whoever comes every minute (recovery/wake).
 */
export async function change(ports: SayPorts, owner: Owner, { before, after }: Change): Promise<boolean> {
  const { health, now, log } = ports;
  const { id: endpointId, organizationId } = owner;
  const isSaid = after.unsaid.length === 0;
  const written: Health = {
    ...after,
    organizationId,
    ...(isSaid ? {} : { sayAfter: isoTime(now() + sayingMs) }),
  };
  if (!(await health.replace(endpointId, before, written))) return false;
  try {
    await startDue(ports, owner, { before, after: written });
    if (!isSaid) await say(ports, owner, { ...written, version: before.version + 1 });
  } catch (fault) {
    log('health.unsaid', { organizationId, endpointId, fault: nameOfFault(fault) });
  }
  return true;
}

/** As long as a message may be delayed; whoever comes every minute finds what is due later. */
const delaySecondsMax = 900;

async function startDue(ports: SayPorts, owner: Owner, { before, after }: Change): Promise<void> {
  const { backlog } = after;
  if (backlog === undefined || backlog.dueAt === before.backlog?.dueAt) return;
  const waitSeconds = Math.max(0, Math.ceil((Date.parse(backlog.dueAt) - ports.now()) / 1000));
  if (waitSeconds <= delaySecondsMax) await ports.startDrain(owner, backlog.turn, waitSeconds);
}

async function say({ health, announce }: SayPorts, owner: Owner, written: Health): Promise<void> {
  const { id: endpointId, organizationId } = owner;
  for (const { kind, ...said } of written.unsaid)
    await announce(operatorEvent(`endpoint.${kind}`, { organizationId, endpointId, ...said }));
  // If somebody has changed it meanwhile, it is said twice rather than never.
  await health.replace(endpointId, written, { ...written, unsaid: [], sayAfter: undefined });
}

/** Whether a worker that died has left something unsaid. */
export function isUnsaid({ unsaid, sayAfter }: Health, nowMs: number): boolean {
  return unsaid.length > 0 && !isAhead(sayAfter, nowMs);
}
