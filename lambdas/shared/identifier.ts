import { z } from 'zod';
import { ulid } from './ulid.ts';

/** An organization's id is the customer's own; it becomes part of keys, queue group ids and secret names. */
export const organizationId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'letters, digits, _ and -, at most 64, beginning with a letter or digit',
  )
  .describe('Id of the organization, which is your own.');

export const endpointId = z
  .string()
  .regex(/^ep_[0-9A-HJKMNP-TV-Z]{26}$/, 'ep_ and 26 characters')
  .describe('Id of an endpoint.');

/** Stands in `webhook-id` too: no dots, since a dot separates what is signed (Standard Webhooks 1.0.0). */
export const eventId = z
  .string()
  .regex(/^evt_[0-9A-HJKMNP-TV-Z]{26}$/, 'evt_ and 26 characters')
  .describe('Id of an event.');

export const jobId = z
  .string()
  .regex(/^job_[0-9A-HJKMNP-TV-Z]{26}$/, 'job_ and 26 characters')
  .describe('Id of a recovery.');

export const auditId = z.string().regex(/^aud_[0-9A-HJKMNP-TV-Z]{26}$/, 'aud_ and 26 characters');

/** Gives at least ten random bytes. */
export type RandomBytes = () => Uint8Array;

/** A new endpoint id, sorting by the time of creation. */
export function newEndpointId(nowMs: number, randomBytes: RandomBytes): string {
  return `ep_${ulid(nowMs, randomBytes())}`;
}

/** A new job's id, sorting by the time of creation. */
export function newJobId(nowMs: number, randomBytes: RandomBytes): string {
  return `job_${ulid(nowMs, randomBytes())}`;
}

/** A new entry's id in the audit, sorting by the time of the change. */
export function newAuditId(nowMs: number, randomBytes: RandomBytes): string {
  return `aud_${ulid(nowMs, randomBytes())}`;
}
