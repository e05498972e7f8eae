import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Health } from '../endpoint/health/health.ts';
import { observe } from '../endpoint/health/observe.ts';
import type { Observation } from '../endpoint/health/observe.ts';
import { shareMax } from '../endpoint/health/pace.ts';
import type { HealthStore } from '../endpoint/health/remembered.ts';
import { change } from '../endpoint/health/say.ts';
import type { SayPorts } from '../endpoint/health/say.ts';
import { hungAfterMs, isHeld, observeHanging, slowMs } from '../endpoint/health/slow.ts';
import type { Hang, Hanging } from '../endpoint/health/slow.ts';
import type { Wait } from '../request/answer.ts';
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
  /** When it wants to be told that there is none. */
  readonly waits: readonly Wait[];
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
 * One that is known to be slow is let in at the pace of that, so it hangs when its share has waited for several times as long:
 * else it would hold as many as its pace allows within a whole timeout.
 *
 * @param timeoutMs after so long the attempt has ended
 * @param health as of its beginning
 */
export function watchAttempt(
  ports: WatchPorts,
  endpoint: Endpoint,
  { timeoutMs, health }: { timeoutMs: number; health: Health },
): Watch {
  let wasSlow = false;
  let counted: Promise<(() => Promise<void>) | undefined> = Promise.resolve(undefined);
  const logFault = (fault: unknown) => {
    logUnnoted(ports.log, endpoint, fault);
    return undefined;
  };
  const hungMs = hungAfterMs(health, ports.now());
  const tellSlow = () => {
    wasSlow = true;
    if (ports.share.markSlow(endpoint.id))
      counted = noteSlow(ports, endpoint, { worstMs: timeoutMs }).catch(logFault);
  };
  const tellHung = () => {
    const hanging = { worstMs: timeoutMs, isBeyondMean: true };
    counted = counted.then((end) => end ?? noteSlow(ports, endpoint, hanging)).catch(logFault);
  };
  return {
    waits: [
      { afterMs: slowMs, tell: tellSlow },
      ...(hungMs === undefined ? [] : [{ afterMs: hungMs, tell: tellHung }]),
    ],
    end: (durationMs) => ({
      meanMs: ports.share.exit(endpoint.id, { durationMs, wasSlow }),
      // Should this fail, it counts until its timeout.
      uncounted: counted.then((uncount) => uncount?.()).catch(logFault),
    }),
  };
}

/** @returns what takes it away again; nothing for one that is held already, of which longer waits are counted */
async function noteSlow(
  ports: WatchPorts,
  endpoint: Endpoint,
  hanging: Hanging,
): Promise<(() => Promise<void>) | undefined> {
  const known = await ports.health.read(endpoint.id);
  const isCounted = hanging.isBeyondMean === true || !isHeld(known, ports.now());
  if (!isCounted) {
    await holdToShare(ports, endpoint, { known, hanging });
    return undefined;
  }
  const { count, end } = await ports.hang(endpoint.id, ports.newId(), ports.now() + hanging.worstMs);
  if (count >= shareMax) await holdToShare(ports, endpoint, { known, hanging });
  return end;
}

async function holdToShare(
  ports: NotePorts,
  endpoint: Endpoint,
  { known, hanging }: { known: Health; hanging: Hanging },
): Promise<void> {
  const { health, now } = ports;
  let before = known;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const after = observeHanging(before, hanging, now());
    if (after === before || (await change(ports, endpoint, { before, after }))) return;
    before = await health.readLatest(endpoint.id);
  }
}

function logUnnoted(log: Log, { id: endpointId, organizationId }: Endpoint, fault: unknown): void {
  log('health.unnoted', { organizationId, endpointId, fault: nameOfFault(fault) });
}
