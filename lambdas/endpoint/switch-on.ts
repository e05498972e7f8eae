import { Conflict } from '../shared/errors.ts';
import { resume } from './health/resume.ts';
import type { ResumePorts } from './health/resume.ts';
import type { Owner } from './health/say.ts';

/**
 * What follows when people have switched an endpoint on: the failures of long ago count no more. That it is on is stored
 * by now, so nobody is told that his change was not made. Who is overtaken at each try is overtaken by deliveries that
 * end: then the endpoint is served, and its failures are of now.
 *
 * @throws Error when it is still switched off by us: asked for again, it is resumed.
 */
export async function followSwitchingOn(ports: ResumePorts, owner: Owner): Promise<void> {
  try {
    await resume(ports, owner);
  } catch (fault) {
    if (!(fault instanceof Conflict)) throw fault;
    const { off } = await ports.health.readLatest(owner.id);
    if (off !== undefined) throw new Error('an endpoint was switched on and not resumed', { cause: fault });
  }
}
