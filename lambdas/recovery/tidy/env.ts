import { z } from 'zod';

/** What the function that tidies the dead-letter queue is told by the stack. */
export const tidyEnv = z.object({
  LEDGER_TABLE: z.string().min(1),
  DEAD_LETTER_QUEUE_URL: z.url(),
});

export type TidyEnv = Record<keyof z.input<typeof tidyEnv>, string>;
