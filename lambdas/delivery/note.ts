import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Health } from '../endpoint/health/health.ts';
import { observe } from '../endpoint/health/observe.ts';
import type { Observation } from '../endpoint/health/observe.ts';
import { shareMax } from '../endpoint/health/pace.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import { change } from '../endpoint/health/say.ts';
import type { SayPorts } from '../endpoint/health/say.ts';
import { isHeld, observeHanging } from '../endpoint/health/slow.ts';
import type { Hang } from '../endpoint/health/slow.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import type { Job, Recipient } from './decide.ts';
import type { Share } from './share.ts';

export interface NotePorts extends SayPorts {
  readonly health: HealthStore;
  /** Asks the table, not what is remembered of it. */
  readonly readRecipientLatest: (organizationId: string, endpointId: string) => Promise<Recipient>;
}

export interface WatchPorts extends NotePorts {
  readonly share: Share;
  readonly hang: Hang;
  /** An id that nothing else has. */
  readonly newId: () => string;
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

/** What is done while an attempt waits for its answer, and when it has it. */
export interface Watch {
  /** It has had none for `slowMs`. */
  readonly tell: () => void;
  /** It gives its place back. @param durationMs how long it took; nothing if it ended by a fault of ours */
  readonly end: (durationMs: number | undefined) => Ended;
}

export interface Ended {
  /** How long an attempt takes on average; nothing while too little is known (share.ts). */
  readonly meanMs: number | undefined;
  /** When it is no longer counted among those without an answer. Never rejects. */
  readonly uncounted: Promise<void>;
}

/**
 * Has an endpoint held to its share as soon as it hangs (health/slow.ts), before it has answered: the sooner, the fewer
 * of others wait behind it. Never throws; its answer will tell.
 *
 * @param timeoutMs after so long the attempt has ended
 */
export function watchAttempt(ports: WatchPorts, endpoint: Endpoint, timeoutMs: number): Watch {
  let wasSlow = false;
  let counted: Promise<(() => Promise<void>) | undefined> = Promise.resolve(undefined);
  const logFault = (fault: unknown) => {
    logUnnoted(ports.log, endpoint, fault);
    return undefined;
  };
  return {
    tell: () => {
      wasSlow = true;
      if (ports.share.markSlow(endpoint.id))
        counted = noteHanging(ports, endpoint, timeoutMs).catch(logFault);
    },
    end: (durationMs) => ({
      meanMs: ports.share.exit(endpoint.id, { durationMs, wasSlow }),
      // Should this fail, it counts until its timeout.
      uncounted: counted.then((uncount) => uncount?.()).catch(logFault),
    }),
  };
}

/** @returns what takes it away again; nothing for one that is held already, whose attempts need not be counted */
async function noteHanging(
  { hang, newId, ...ports }: WatchPorts,
  endpoint: Endpoint,
  timeoutMs: number,
): Promise<(() => Promise<void>) | undefined> {
  const { health, now } = ports;
  const known = await health.read(endpoint.id);
  if (isHeld(known, now())) {
    await holdToShare(ports, endpoint, { known, timeoutMs });
    return undefined;
  }
  const { count, end } = await hang(endpoint.id, newId(), now() + timeoutMs);
  if (count >= shareMax) await holdToShare(ports, endpoint, { known, timeoutMs });
  return end;
}

async function holdToShare(
  ports: NotePorts,
  endpoint: Endpoint,
  { known, timeoutMs }: { known: Health; timeoutMs: number },
): Promise<void> {
  const { health, now } = ports;
  let before = known;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const after = observeHanging(before, timeoutMs, now());
    if (after === before || (await change(ports, endpoint, { before, after }))) return;
    before = await health.readLatest(endpoint.id);
  }
}

function logUnnoted(log: Log, { id: endpointId, organizationId }: Endpoint, fault: unknown): void {
  log('health.unnoted', { organizationId, endpointId, fault: nameOfFault(fault) });
}
