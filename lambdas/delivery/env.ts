import { z } from 'zod';
import { targetEnv } from '../endpoint/env.ts';

/** What the deliver function is told by the stack. */
export const deliverEnv = targetEnv.extend({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  DELIVERIES_QUEUE_URL: z.url(),
  RETRIES_QUEUE_URL: z.url(),
  /** Takes the last message of a dead delivery. */
  FALLING_QUEUE_URL: z.url(),
  /** Takes the word that what waits for an endpoint may be brought back. */
  RECOVERY_QUEUE_URL: z.url(),
  BUS_NAME: z.string().min(1),
  /** Secrets are named `<prefix>/<organization>/<endpoint>`. */
  SECRET_PREFIX: z.string().min(1),
  /** Whom tokens of the scheme `jwt` name as their issuer: the API's URL. */
  ISSUER: z.url(),
  RETENTION_DAYS: z.coerce.number().int().min(1),
});

export type DeliverEnv = Record<keyof z.input<typeof deliverEnv>, string>;
