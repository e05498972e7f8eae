import { createHash } from 'node:crypto';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { ReadSecret, SecretName, SecretWriter } from '../../lambdas/signing/secret.ts';
import { soon } from './soon.ts';

/** The signing secret that a version's id stands for in tests. */
export function secretOf(versionId: string): string {
  return `whsec_${createHash('sha256').update(versionId).digest('base64')}`;
}

export interface MemorySecrets extends SecretWriter {
  readSecret: ReadSecret;
  /** The signing secrets of an endpoint, one for each version that it names. */
  readonly keepFor: (endpoint: Endpoint) => void;
}

/** Secrets in memory. What was never put there, or is gone, is an error, as with Secrets Manager. */
export function memorySecrets(): MemorySecrets {
  const secrets = new Map<string, Map<string, string>>();
  const nameOf = ({ organizationId, endpointId, part }: SecretName) =>
    `${organizationId}/${endpointId}/${part}`;
  const keep = (name: SecretName, version: { id: string; value: string }) => {
    const versions = secrets.get(nameOf(name)) ?? new Map<string, string>();
    secrets.set(nameOf(name), versions.set(version.id, version.value));
  };
  return {
    readSecret: (name, versionId) =>
      soon(() => {
        const value = secrets.get(nameOf(name))?.get(versionId);
        if (value === undefined) throw new Error('there is no such version of a secret');
        return value;
      }),
    put: (name, version) =>
      soon(() => {
        keep(name, version);
      }),
    retire: (name, versionId) =>
      soon(() => {
        secrets.get(nameOf(name))?.delete(versionId);
      }),
    remove: (name) =>
      soon(() => {
        secrets.delete(nameOf(name));
      }),
    keepFor: ({ organizationId, id: endpointId, secretVersions }) => {
      for (const { id } of secretVersions) {
        keep({ organizationId, endpointId, part: 'signing' }, { id, value: secretOf(id) });
      }
    },
  };
}
