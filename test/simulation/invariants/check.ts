import type { World } from '../world.ts';

/** Says what is wrong, or nothing. */
export type Check<Facts> = (facts: Facts) => string | undefined;

/** The invariants by their numbers (docs/simulator.md); some have several parts. */
export type Checks<Facts> = readonly (readonly [invariant: string, isBroken: Check<Facts>])[];

export function check<Facts>(world: Pick<World, 'violate'>, checks: Checks<Facts>, facts: Facts): void {
  for (const [invariant, isBroken] of checks) {
    const text = isBroken(facts);
    if (text !== undefined) world.violate(invariant, text);
  }
}
