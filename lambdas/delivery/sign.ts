import { liveVersions } from '../endpoint/endpoint.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { version } from '../shared/version.ts';
import { signHmac } from '../signing/hmac.ts';
import type { Unsigned } from './attempt.ts';

export interface SignPorts {
  readonly readKeys: (
    owner: { organizationId: string; endpointId: string },
    versionIds: readonly string[],
  ) => Promise<Uint8Array[]>;
}

/**
 * Headers of a request, signed with the keys that are live now: by this every attempt has a new timestamp, and a
 * secret rotated between two attempts takes effect on the next one.
 *
 * @throws when a key cannot be had; nothing goes out unsigned.
 */
export async function sign(
  { readKeys }: SignPorts,
  endpoint: Endpoint,
  { webhookId, body, nowMs }: Unsigned,
): Promise<Readonly<Record<string, string>>> {
  const timestampSeconds = Math.floor(nowMs / 1000);
  const owner = { organizationId: endpoint.organizationId, endpointId: endpoint.id };
  const keys = await readKeys(owner, liveVersions(endpoint, nowMs));
  return {
    'content-type': 'application/json',
    'user-agent': `Tidings/${version}`,
    'webhook-id': webhookId,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signHmac({ webhookId, timestampSeconds, body }, keys),
  };
}
