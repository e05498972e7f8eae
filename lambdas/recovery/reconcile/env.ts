import { z } from 'zod';

/** What the function that reconciles events with their ends is told by the stack. */
export const reconcileEnv = z.object({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  BUS_NAME: z.string().min(1),
});

export type ReconcileEnv = Record<keyof z.input<typeof reconcileEnv>, string>;
