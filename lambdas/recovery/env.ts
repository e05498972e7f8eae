import { z } from 'zod';

/** What the recover function is told by the stack. */
export const recoverEnv = z.object({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  RECOVERY_QUEUE_URL: z.url(),
  RETRIES_QUEUE_URL: z.url(),
  BUS_NAME: z.string().min(1),
});

export type RecoverEnv = Record<keyof z.input<typeof recoverEnv>, string>;
