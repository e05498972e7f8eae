import type { RandomBytes } from '../shared/identifier.ts';

/** A secret of an endpoint in Secrets Manager: the one that signs, or one of those beside it. */
export interface SecretName {
  readonly organizationId: string;
  readonly endpointId: string;
  readonly part: 'signing' | 'headers' | 'client-certificate';
}

/** Reads a version of a secret. */
export type ReadSecret = (name: SecretName, versionId: string) => Promise<string>;

/** Writes secrets; what they held before can not be read. */
export interface SecretWriter {
  readonly put: (name: SecretName, version: { id: string; value: string }) => Promise<void>;
  readonly retire: (name: SecretName, versionId: string) => Promise<void>;
  readonly remove: (name: SecretName) => Promise<void>;
}

const prefix = 'whsec_';

/** Secrets as Standard Webhooks 1.0.0 writes them: `whsec_` and 24 to 64 bytes in standard base64. */
export function newSecret(randomBytes: RandomBytes): string {
  return `${prefix}${Buffer.from(randomBytes()).toString('base64')}`;
}

/**
 * The key inside a secret.
 *
 * @throws Error, without quoting it, when the secret is not one.
 */
export function keyOf(secret: string): Uint8Array {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  const key = Buffer.from(text, 'base64');
  // Buffer skips what is not base64: only a text that comes out again the same was a secret.
  if (key.toString('base64') !== text || key.length < 24 || key.length > 64) {
    throw new Error('a secret is whsec_ and 24 to 64 bytes in base64');
  }
  return key;
}
