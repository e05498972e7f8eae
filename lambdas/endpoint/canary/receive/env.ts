import { z } from 'zod';

/** What the function that receives the canary's events is told by the stack. */
export const receiveEnv = z.object({
  CONFIG_TABLE: z.string().min(1),
  SECRET_PREFIX: z.string().min(1),
});

export type ReceiveEnv = Record<keyof z.input<typeof receiveEnv>, string>;
