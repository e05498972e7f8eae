import { z } from 'zod';
import { targetEnv } from '../endpoint/env.ts';

/** What the API function is told by the stack. */
export const apiEnv = targetEnv.extend({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  RETRIES_QUEUE_URL: z.url(),
  RECOVERY_QUEUE_URL: z.url(),
  BUS_NAME: z.string().min(1),
  /** Secrets are named `<prefix>/<organization>/<endpoint>`. */
  SECRET_PREFIX: z.string().min(1),
  /** The stack's KMS key, which encrypts the secrets. */
  KEY_ARN: z.string().min(1),
  /** Value of the tag on signing keys of this deployment. */
  STAGE: z.string().min(1),
  RETENTION_DAYS: z.coerce.number().int().min(1),
  /** Name of the token's claim that holds the organization's id. */
  ORGANIZATION_CLAIM: z.string().min(1),
  /** Name of the claim that holds the scopes. */
  SCOPE_CLAIM: z.string().min(1),
  /** How often one caller may ask. */
  REQUESTS_PER_MINUTE: z.coerce.number().int().min(1),
  /** What happens to an event whose data break the schema of its type. */
  EVENT_SCHEMAS: z.enum(['strict', 'warn']),
  ENDPOINTS_PER_ORGANIZATION: z.coerce.number().int().min(1),
});

export type ApiEnv = Record<keyof z.input<typeof apiEnv>, string>;
