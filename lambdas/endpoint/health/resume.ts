import { Conflict } from '../../shared/errors.ts';
import { wantedNow } from './backlog.ts';
import { resumed } from './health.ts';
import type { Health } from './health.ts';
import type { HealthStore } from './remembered.ts';
import { change } from './say.ts';
import type { Owner, SayPorts } from './say.ts';

export interface ResumePorts extends SayPorts {
  readonly health: Pick<HealthStore, 'readLatest' | 'replace'>;
}

const triesMax = 5;

/**
 * Ends an endpoint's pause, or switches it on when we have switched it off, and gives it a day of grace. What has
 * waited for it comes back at a growing pace.
 *
 * @throws Conflict when so many attempts end at this moment that each try is overtaken; nothing has been written then.
 */
export async function resume(ports: ResumePorts, owner: Owner): Promise<Health> {
  const graces = new Set<Health['graceUntil']>();
  for (let tries = 0; tries < triesMax; tries += 1) {
    const before = await ports.health.readLatest(owner.id);
    const after = resumed(before, ports.now());
    if (await change(ports, owner, { before, after })) return after;
    graces.add(after.graceUntil);
  }
  // A write whose answer was lost is made again by the SDK, and overtaken by itself. Its day of grace tells it from others,
  // and stays in what is written after it; what follows from it is done by whoever comes every minute.
  const latest = await ports.health.readLatest(owner.id);
  if (graces.has(latest.graceUntil)) return latest;
  throw new Conflict('changed_meanwhile', 'The endpoint is being delivered to at this moment: try again.');
}

/**
 * Has what waits for an endpoint looked after at once: it was switched off, so all of that ends. When the health changes
 * at each look, somebody comes for it later all the same.
 */
export async function endWaiting(ports: ResumePorts, owner: Owner): Promise<void> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const before = await ports.health.readLatest(owner.id);
    if (before.backlog === undefined) return;
    const after = { ...before, backlog: wantedNow(before.backlog, ports.now()) };
    if (await change(ports, owner, { before, after })) return;
  }
}

/**
 * What follows when people have switched an endpoint on: the failures of long ago count no more. That it is on is stored
 * by now, so nobody is told that his change was not made. Who is overtaken at each try is overtaken by deliveries that
 * end: then the endpoint is served, and its failures are of now.
 *
 * @returns the health as it is then.
 * @throws Error when it is still switched off by us: asked for again, it is resumed.
 */
export async function followSwitchingOn(ports: ResumePorts, owner: Owner): Promise<Health> {
  try {
    return await resume(ports, owner);
  } catch (fault) {
    if (!(fault instanceof Conflict)) throw fault;
    const latest = await ports.health.readLatest(owner.id);
    if (latest.off !== undefined)
      throw new Error('an endpoint was switched on and not resumed', { cause: fault });
    return latest;
  }
}
