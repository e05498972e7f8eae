import { createHmac } from 'node:crypto';

export interface Signable {
  /** The event's id; holds no dot. */
  readonly webhookId: string;
  /** `webhook-timestamp`: seconds since 1970 of this attempt, in decimal. */
  readonly timestamp: string;
  /** The very bytes that are sent. */
  readonly body: Uint8Array;
}

/**
 * Value of `webhook-signature` (Standard Webhooks 1.0.0, scheme v1): HMAC-SHA256 over `id.timestamp.body`, one
 * signature per key, the newest first. Exactly one space between them and none at the end, or receivers in
 * Python and C# fail.
 */
export function signHmac({ webhookId, timestamp, body }: Signable, keys: readonly Uint8Array[]): string {
  if (keys.length === 0) throw new Error('nothing goes out unsigned');
  const head = `${webhookId}.${timestamp}.`;
  return keys
    .map((key) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`)
    .join(' ');
}
