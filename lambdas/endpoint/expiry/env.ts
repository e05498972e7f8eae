import { z } from 'zod';

/** What the function that warns of certificates is told by the stack. */
export const expiryEnv = z.object({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  BUS_NAME: z.string().min(1),
  /** Stands in a tag of every signing key. */
  STAGE: z.string().min(1),
});

export type ExpiryEnv = Record<keyof z.input<typeof expiryEnv>, string>;
