import { isoTime } from '../../lambdas/shared/time.ts';
import type { Now } from '../../lambdas/shared/time.ts';

export interface Journal {
  /** Whether anybody reads the story: what makes a line of it may be left out otherwise. */
  readonly isRead: boolean;
  /** One line for one thing that happened; put into words only if somebody reads it. */
  readonly tell: (who: string, what: () => string) => void;
  /** Makes a number part of the trace: two runs that differ in it are not the same. */
  readonly trace: (value: number) => void;
  readonly lines: readonly string[];
  /** Two runs of one seed have the same. */
  readonly hash: () => number;
}

export function makeJournal(now: Now, isRead: boolean): Journal {
  const startMs = now();
  const lines: string[] = [];
  let hash = 0x811c9dc5;
  return {
    isRead,
    tell: (who, what) => {
      if (!isRead) return;
      const sinceSeconds = ((now() - startMs) / 1000).toFixed(3).padStart(11);
      lines.push(`${isoTime(now()).slice(5, 19)} ${sinceSeconds}  ${who.padEnd(12)} ${what()}`);
    },
    // FNV-1a, a number at a time.
    trace: (value) => {
      hash = Math.imul(hash ^ (value | 0), 0x01000193);
    },
    lines,
    hash: () => hash >>> 0,
  };
}
