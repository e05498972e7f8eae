import { isoTime } from '../../lambdas/shared/time.ts';
import type { World } from './world.ts';

/** Whoever comes every minute looks so far ahead, and a second time at what was due so long ago (recovery/wake). */
export const lookMs = { ahead: 60_000, behind: -3_600_000 };

/** The place up to which it has sent on what stands in a partition. */
export function markOf(world: World, partition: string): string {
  return reached(world, partition).first;
}

/** How far it has come, those runs that were not played included. */
export function reached({ woken: { rounds, idleMs } }: World, partition: string) {
  const of = (through: string | undefined, aheadMs: number) => {
    const idle = idleMs === 0 ? ' ' : isoTime(idleMs + aheadMs);
    return through === undefined || through < idle ? idle : through;
  };
  return {
    first: of(rounds.through[partition], lookMs.ahead),
    second: of(rounds.secondThrough[partition], lookMs.behind),
  };
}
