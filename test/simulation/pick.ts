import { serve } from './functions.ts';
import type { SimulatedFunction, SimulatedQueue } from './functions.ts';
import type { Action } from './action.ts';
import type { World } from './world.ts';

/** Has somebody do something, and says so if that was a fault of the simulator's. */
export function act(world: World, action: Action): void {
  Promise.resolve(action(world)).catch((fault: unknown) => {
    world.violate('simulator', fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
  });
}

/** Has one of all that is ready go; false when nothing is. */
export function pick(world: World, functions: readonly SimulatedFunction[]): boolean {
  const { time, chance, journal } = world;
  const offers = offersOf(world, functions);
  const count = time.readyCount + offers.length;
  if (count === 0) return false;
  const place = chance.below(count);
  for (const seen of [count, place, time.now()]) journal.trace(seen);
  const offer = offers[place - time.readyCount];
  if (offer === undefined) time.run(place);
  else act(world, () => serve(world, offer.served, offer.fn));
  return true;
}

interface Offer {
  readonly fn: SimulatedFunction;
  readonly served: SimulatedQueue;
}

/** Who could take a batch now. */
function offersOf(world: World, functions: readonly SimulatedFunction[]): Offer[] {
  const nowMs = world.time.now();
  const offers: Offer[] = [];
  for (const fn of functions) {
    if (fn.running >= fn.runningMax) continue;
    for (const served of fn.queues)
      if (served.aloneUntilMs <= nowMs && served.queue.counts().visible > 0) offers.push({ fn, served });
  }
  return offers;
}
