import { z } from 'zod';
import { targetEnv } from '../../endpoint/env.ts';

/** What the test function is told by the stack. */
export const testEnv = targetEnv.extend({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  /** Secrets are named `<prefix>/<organization>/<endpoint>`. */
  SECRET_PREFIX: z.string().min(1),
  /** Whom tokens of the scheme `jwt` name as their issuer: the API's URL. */
  ISSUER: z.url(),
  RETENTION_DAYS: z.coerce.number().int().min(1),
  /** Name of the token's claim that holds the organization's id. */
  ORGANIZATION_CLAIM: z.string().min(1),
  /** Name of the claim that holds the scopes. */
  SCOPE_CLAIM: z.string().min(1),
  /** How often one caller may ask. */
  REQUESTS_PER_MINUTE: z.coerce.number().int().min(1),
});

export type TestEnv = Record<keyof z.input<typeof testEnv>, string>;
