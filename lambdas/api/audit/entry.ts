import { z } from 'zod';
import { auditId } from '../../shared/identifier.ts';
import { shownTime } from '../../shared/time.ts';

/** An entry of the audit: who changed what and when, before and after, without secrets. */
export const auditEntry = z
  .object({
    id: auditId,
    at: shownTime,
    by: z
      .strictObject({
        /** Subject of the token. */
        subject: z.string(),
        isOperator: z.boolean(),
      })
      .meta({ id: 'Actor' }),
    /** `operationId` of the API's description. */
    operation: z.string(),
    /** What it was done to: the parameters of the operation's path, such as `endpointId`. */
    target: z.record(z.string(), z.string()).meta({ id: 'AuditTarget' }),
    requestId: z.string(),
    /**
     * `unknown` when it was cut off in the middle: written down before it is done, a change can be in the audit that was
     * never made, and none can be missing.
     */
    outcome: z.enum(['done', 'unknown']).meta({ id: 'AuditOutcome' }),
    /** What people saw of it before; absent when there was nothing. */
    before: z.unknown().optional(),
    /** What they see of it since; absent when nothing is left of it. */
    after: z.unknown().optional(),
  })
  .meta({ id: 'AuditEntry' });

export type AuditEntry = z.output<typeof auditEntry>;
