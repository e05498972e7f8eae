import { isoTime } from '../../lambdas/shared/time.ts';
import type { World } from './world.ts';

/** Whoever comes every minute looks so far ahead, and a second time at what was due so long ago (recovery/wake). */
export const lookMs = { ahead: 60_000, behind: -3_600_000 };

/** The place up to which it has sent on what stands in a partition. */
export function markOf(world: World, partition: string): string {
  return reachedIn(world)(partition).first;
}

/** How far it has come in each partition, those runs that were not played included. */
export function reachedIn({ woken: { rounds, idleMs } }: World) {
  const idle = (aheadMs: number) => (idleMs === 0 ? ' ' : isoTime(idleMs + aheadMs));
  const [ahead, behind] = [idle(lookMs.ahead), idle(lookMs.behind)];
  const later = (through: string | undefined, mark: string) =>
    through === undefined || through < mark ? mark : through;
  return (partition: string) => ({
    first: later(rounds.through[partition], ahead),
    second: later(rounds.secondThrough[partition], behind),
  });
}
