import { z } from 'zod';

/** What the function that sends on what waits is told by the stack. */
export const wakeEnv = z.object({
  LEDGER_TABLE: z.string().min(1),
  RETRIES_QUEUE_URL: z.url(),
  RECOVERY_QUEUE_URL: z.url(),
});

export type WakeEnv = Record<keyof z.input<typeof wakeEnv>, string>;
