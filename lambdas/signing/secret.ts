import type { RandomBytes } from '../shared/identifier.ts';

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
