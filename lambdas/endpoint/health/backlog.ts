import { z } from 'zod';
import { isoTime } from '../../shared/time.ts';

/**
 * That deliveries wait for an endpoint as rows, and how far they have been brought back (recovery/drain). It stands in
 * the endpoint's health, so that one write says both that the endpoint may receive again and that somebody must come.
 */
export const backlog = z.object({
  /** Counts the drain's steps: of its messages only the one that names the last step goes on. */
  turn: z.number().int(),
  /** Counts its passes over the rows: a message of an earlier pass has been sent again since, and is dropped. */
  pass: z.number().int(),
  /** State of the endpoint's gate when the pass began (recovery/drain/plan.ts); when it has changed, the next one begins. */
  gate: z.string().optional(),
  /** The last place from which this pass has sent. */
  through: z.string().optional(),
  /** How far it had come at a moment: a row before that, which is still there when patience ends, was lost. */
  mark: z.object({ through: z.string(), at: z.string() }).optional(),
  /** When something was last sent from there. */
  sentAt: z.string().optional(),
  /** The pace's clock: nothing is sent that is due later. */
  clock: z.string().optional(),
  /** Passes in a row that left something: each waits longer for it than the one before. */
  leftovers: z.number().int().optional(),
  /** When the index seemed empty. It may be behind, and so may those who have read that there is a backlog. */
  emptyAt: z.string().optional(),
  /** By then somebody looks after it. */
  dueAt: z.string(),
  /** A step is being made, and by then it has ended, or its worker has died: no other one begins before. */
  steppingUntil: z.string().optional(),
});

export type Backlog = z.output<typeof backlog>;

/** Whether what comes now must wait behind what waits already. */
export function isOpen(backlog: Backlog | undefined): boolean {
  return backlog !== undefined && backlog.emptyAt === undefined;
}

/** The backlog after a delivery was parked. @param dueMs when the endpoint may receive again, as far as is known */
export function raised(before: Backlog | undefined, nowMs: number, dueMs: number): Backlog {
  const dueAt = isoTime(dueMs);
  if (before === undefined) return { turn: 0, pass: 1, dueAt };
  const { emptyAt, ...rest } = before;
  // A step that is being made sees it at its end; a message that asks for the next one is too early or too late.
  return isStepping(before, nowMs) ? { ...rest, dueAt } : { ...rest, turn: before.turn + 1, dueAt };
}

/** Whether somebody is bringing rows back at this moment: two at once would send the same ones. */
export function isStepping({ steppingUntil }: Backlog, nowMs: number): boolean {
  return steppingUntil !== undefined && Date.parse(steppingUntil) > nowMs;
}

/** The backlog when the endpoint may receive again, or never will: somebody must come for its rows now. */
export function wantedNow(before: Backlog | undefined, nowMs: number): Backlog | undefined {
  return before && { ...before, dueAt: isoTime(nowMs) };
}
