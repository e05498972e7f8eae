import { z } from 'zod';

/**
 * What the version before (27 November 2026, before waiting was a row) reads: its schemas, as they stood. For the
 * minute of an update both versions take from the same queues and tables.
 */
const trigger = z.enum(['scheduled', 'manual', 'redrive', 'test']);

export const messageBefore = z.object({
  v: z.literal(1),
  organizationId: z.string(),
  endpointId: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  attempt: z.number().int().positive(),
  round: z.number().int().positive(),
  again: z.literal(true).exactOptional(),
  notBefore: z.iso.datetime().exactOptional(),
  paced: z.literal(true).optional(),
  trigger,
  lastError: z.string().exactOptional(),
  dead: z
    .object({ at: z.iso.datetime(), attempts: z.number().int().positive(), lastError: z.string() })
    .exactOptional(),
});

export const deliveryBefore = z.object({
  organizationId: z.string(),
  endpointId: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  status: z.enum(['delivered', 'retrying', 'dead', 'discarded', 'failed']),
  reason: z
    .enum(['endpoint_disabled', 'endpoint_deleted', 'unsubscribed', 'not_entitled', 'expired', 'gone'])
    .exactOptional(),
  round: z.number().int(),
  roundStart: z.number().int(),
  attemptCount: z.number().int(),
  attempts: z.array(
    z.object({
      number: z.number().int(),
      round: z.number().int(),
      trigger,
      at: z.string(),
      durationMs: z.number(),
      outcome: z.enum(['delivered', 'retry', 'dead', 'failed']),
      code: z.string().exactOptional(),
      statusCode: z.number().exactOptional(),
      responseBody: z.string().exactOptional(),
    }),
  ),
  lastError: z.string().exactOptional(),
  nextAttemptAt: z.string().exactOptional(),
  updatedAt: z.string(),
  expiresAt: z.number(),
});

export const healthBefore = z.object({
  version: z.number().int(),
  failures: z.number(),
  failingSince: z.string().optional(),
  lastFailureAt: z.string().optional(),
  warned: z.number(),
  pause: z
    .object({
      since: z.string(),
      until: z.string(),
      seconds: z.number(),
      cause: z.enum(['failures', 'retry_after']),
      asked: z.string().optional(),
      probing: z.literal(true).optional(),
    })
    .optional(),
  off: z.object({ at: z.string(), reason: z.enum(['gone', 'failing']) }).optional(),
  graceUntil: z.string().optional(),
  backSince: z.string().optional(),
  slowUntil: z.string().optional(),
  unsaid: z.array(
    z.object({
      kind: z.enum(['paused', 'resumed', 'failing', 'disabled']),
      at: z.string(),
      reason: z.string().exactOptional(),
      until: z.string().exactOptional(),
    }),
  ),
  sayAfter: z.string().optional(),
});
