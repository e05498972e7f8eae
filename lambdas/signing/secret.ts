import { z } from 'zod';
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

const four = '[A-Za-z0-9+/]{4}';
/** What `bytesOf` takes, for the description: bits that stand for nothing are zero. */
const pattern =
  `^(whsec_)?((${four}){8,21}|(${four}){8,21}[A-Za-z0-9+/][AQgw]==|` +
  `(${four}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$`;

/** A secret that a user brings; written back in the one form that receivers' libraries know. */
export const ownSecret = z
  .string()
  .meta({ pattern })
  .transform((text, context) => {
    const bytes = bytesOf(text);
    if (bytes !== undefined) return `${prefix}${Buffer.from(bytes).toString('base64')}`;
    context.addIssue({ code: 'custom', message: 'must be whsec_ and 24 to 64 bytes in standard base64' });
    return z.NEVER;
  });

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
  const bytes = bytesOf(secret);
  if (bytes === undefined) throw new Error('a secret is whsec_ and 24 to 64 bytes in base64');
  return bytes;
}

function bytesOf(secret: string): Uint8Array | undefined {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  const bytes = Buffer.from(text, 'base64');
  // Buffer skips what is not base64: only a text that comes out again the same was a secret.
  const isStrict = bytes.toString('base64') === text;
  return isStrict && bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}
