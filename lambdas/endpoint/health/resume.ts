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
 * @throws Conflict when so many attempts end at this moment that each try is overtaken.
 */
export async function resume(ports: ResumePorts, owner: Owner): Promise<Health> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const before = await ports.health.readLatest(owner.id);
    const after = resumed(before, ports.now());
    if (await change(ports, owner, { before, after })) return after;
  }
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
