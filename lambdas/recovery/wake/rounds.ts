import { z } from 'zod';

/** How far whoever comes every minute has come: the place up to which each partition has been sent on. */
export const rounds = z.object({
  /** 0 before the first run. */
  version: z.number().int(),
  through: z.record(z.string(), z.string()),
  /** The same of the second look, an hour later. */
  secondThrough: z.record(z.string(), z.string()),
  /** When the second look began at the oldest row. */
  secondSince: z.string().optional(),
  /** Until then a run is under way. */
  leaseUntil: z.string().optional(),
});

export type Rounds = z.output<typeof rounds>;

/** Nothing has been sent on yet. */
export const noRounds: Rounds = { version: 0, through: {}, secondThrough: {} };
