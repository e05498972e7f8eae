import { z } from 'zod';
import { targetEnv } from '../../env.ts';

/** What the function that sends the canary's events is told by the stack. */
export const sendEnv = targetEnv.extend({
  CONFIG_TABLE: z.string().min(1),
  BUS_NAME: z.string().min(1),
  SECRET_PREFIX: z.string().min(1),
  /** Encrypts the secret. */
  KEY_ARN: z.string().min(1),
  RETENTION_DAYS: z.coerce.number().int().positive(),
  /** Where the canary receives. */
  CANARY_URL: z.url({ protocol: /^https$/ }),
});

export type SendEnv = Record<keyof z.input<typeof sendEnv>, string>;
