import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { LRUCache } from 'lru-cache';
import { keyOf } from './secret.ts';

/** Where the secrets of an endpoint live; ids only, since a deleted name stays reserved for days. */
export interface SecretOwner {
  readonly organizationId: string;
  readonly endpointId: string;
}

function nameOf(prefix: string, { organizationId, endpointId }: SecretOwner): string {
  return `${prefix}/${organizationId}/${endpointId}`;
}

/** Every version has a label of its own: Secrets Manager may delete versions without one (aws.md, section 6). */
function labelOf(versionId: string): string {
  return `tidings-${versionId}`;
}

/** Writes secrets; it can read none back. */
export function makeSecretWriter(client: SecretsManagerClient, prefix: string, keyArn: string) {
  return {
    /** Makes an endpoint's secret with its first version. */
    create: async (owner: SecretOwner, version: { id: string; secret: string }): Promise<void> => {
      const Name = nameOf(prefix, owner);
      await client.send(new CreateSecretCommand({ Name, KmsKeyId: keyArn }));
      await client.send(
        new PutSecretValueCommand({
          SecretId: Name,
          SecretString: version.secret,
          ClientRequestToken: version.id,
          VersionStages: ['AWSCURRENT', labelOf(version.id)],
        }),
      );
    },

    /** Removes an endpoint's secret for good; one that is gone already is no error. */
    remove: async (owner: SecretOwner): Promise<void> => {
      const SecretId = nameOf(prefix, owner);
      try {
        await client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
      } catch (fault) {
        if (!(fault instanceof ResourceNotFoundException)) throw fault;
      }
    },
  };
}

export type ReadKeys = (owner: SecretOwner, versionIds: readonly string[]) => Promise<Uint8Array[]>;

/**
 * Reads the keys of an endpoint's secret. A version never changes, so it is kept for as long as the function
 * lives: nothing polls, and an outage of Secrets Manager is not noticed for endpoints that were used before.
 */
export function makeReadKeys(client: SecretsManagerClient, prefix: string): ReadKeys {
  const kept = new LRUCache<string, Uint8Array, { SecretId: string; VersionId: string }>({
    max: 10_000,
    fetchMethod: async (_name, _stale, { context }) => {
      const answer = await client.send(new GetSecretValueCommand(context));
      return keyOf(answer.SecretString ?? '');
    },
  });
  return async function readKeys(owner, versionIds) {
    const SecretId = nameOf(prefix, owner);
    return Promise.all(
      versionIds.map((VersionId) =>
        kept.forceFetch(`${SecretId} ${VersionId}`, { context: { SecretId, VersionId } }),
      ),
    );
  };
}
