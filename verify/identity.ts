import type { ReadRequest } from './request.ts';
import { VerificationError } from './verification-error.ts';

export interface Identity {
  readonly webhookId: string;
  /** As it stands in the header: what is signed is the text. */
  readonly timestamp: string;
  readonly sentAtSeconds: number;
}

/**
 * Reads `webhook-id` and `webhook-timestamp`.
 *
 * @throws VerificationError `missing_header`, `malformed`.
 */
export function readIdentity({ header }: ReadRequest): Identity {
  const webhookId = header('webhook-id');
  const timestamp = header('webhook-timestamp');
  // A dot in the id would let two requests share one signed text `id.timestamp.body`.
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(webhookId) || !/^[0-9]{1,12}$/.test(timestamp)) {
    throw new VerificationError('malformed');
  }
  return { webhookId, timestamp, sentAtSeconds: Number(timestamp) };
}
