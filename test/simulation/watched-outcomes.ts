import type { DeliverPorts } from '../../lambdas/delivery/deliver.ts';
import { needlessCopies, requestOf } from './outcomes.ts';
import type { World } from './world.ts';

/** Notes outcomes that come too late: another copy of the message has recorded its own. */
export function watchOutcome(world: World, record: DeliverPorts['record']): DeliverPorts['record'] {
  return async function recordWatched(after) {
    const outcome = await record(after);
    const { book, time } = world;
    const dossier = book.dossier(after.endpointId, after.eventId);
    // Its number may be taken by a round before: then it will be recorded under the next one.
    if (outcome === 'recorded' || (dossier.delivery?.round ?? 0) < after.round) return outcome;
    const request = requestOf(dossier, after, time.now());
    if (request === undefined) return outcome;
    request.isSettled = true;
    dossier.overtaken.set(after.attemptCount, (dossier.overtaken.get(after.attemptCount) ?? 0) + 1);
    const text = needlessCopies(book, dossier);
    if (text !== undefined) world.violate('I6', text);
    return outcome;
  };
}
