import { z } from 'zod';

/** What the function that completes tokens is told by the stack. */
export const tokenEnv = z.object({
  CONFIG_TABLE: z.string().min(1),
  /** Name of the token's claim that is to hold the organization's id. */
  ORGANIZATION_CLAIM: z.string().min(1),
});

export type TokenEnv = Record<keyof z.input<typeof tokenEnv>, string>;
