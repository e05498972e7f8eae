import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { LRUCache } from 'lru-cache';
import { bytesInMemory } from '../shared/cache.ts';
import type { SecretName } from './secret.ts';

/** Ids only, never a person's text: a deleted name stays reserved for days. */
function nameOf(prefix: string, { organizationId, endpointId, part }: SecretName): string {
  const own = `${prefix}/${organizationId}/${endpointId}`;
  return part === 'signing' ? own : `${own}/${part}`;
}

/**
 * Every version has a label of its own, since Secrets Manager may delete a version that has none; and no other:
 * AWSCURRENT, when it moves on, may take the other labels of the version that had it along.
 */
function labelOf(versionId: string): string {
  return `tidings-${versionId}`;
}

/** Writes secrets; it can read none back. */
export function makeSecretWriter(client: SecretsManagerClient, prefix: string, keyArn: string) {
  const putValue = (SecretId: string, { id, value }: { id: string; value: string }) =>
    client.send(
      new PutSecretValueCommand({
        SecretId,
        SecretString: value,
        ClientRequestToken: id,
        VersionStages: [labelOf(id)],
      }),
    );
  return {
    /** Adds a version to a secret, which is made when it is new. */
    put: async (name: SecretName, version: { id: string; value: string }): Promise<void> => {
      const Name = nameOf(prefix, name);
      try {
        await putValue(Name, version);
      } catch (fault) {
        if (!(fault instanceof ResourceNotFoundException)) throw fault;
        await create(client, Name, keyArn);
        await putValue(Name, version);
      }
    },

    /**
     * Takes a version's label: a secret holds twenty, and a version without one is deleted in time. One that is gone
     * with its secret already, as somebody has removed that meanwhile, is no error.
     */
    retire: async (name: SecretName, versionId: string): Promise<void> => {
      const VersionStage = labelOf(versionId);
      const label = { SecretId: nameOf(prefix, name), VersionStage, RemoveFromVersionId: versionId };
      await unlessGone(client.send(new UpdateSecretVersionStageCommand(label)));
    },

    /** Removes a secret for good; one that is gone already is no error. */
    remove: async (name: SecretName): Promise<void> => {
      const SecretId = nameOf(prefix, name);
      await unlessGone(client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true })));
    },
  };
}

async function unlessGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (fault) {
    if (!(fault instanceof ResourceNotFoundException)) throw fault;
  }
}

/** A first version is AWSCURRENT whatever it is put as: so it is one that holds nothing, and stays so. */
const placeholder = 'Each version has a label of its own.';

async function create(client: SecretsManagerClient, Name: string, KmsKeyId: string): Promise<void> {
  try {
    await client.send(new CreateSecretCommand({ Name, KmsKeyId, SecretString: placeholder }));
  } catch (fault) {
    // Made by a try of the SDK whose answer was lost, or by a request at the same moment.
    if (!(fault instanceof ResourceExistsException)) throw fault;
  }
}

/** Values have 64 KB at most (Secrets Manager); a hundred bytes is what most take. */
const secretBytesMax = 16 * 2 ** 20;

/**
 * Reads a version of a secret. It never changes, so it is kept for as long as the function lives: nothing polls, and
 * an outage of Secrets Manager is not noticed for endpoints that were used before.
 */
export function makeReadSecret(client: SecretsManagerClient, prefix: string) {
  const kept = new LRUCache<string, string, { SecretId: string; VersionId: string }>({
    max: 10_000,
    maxSize: secretBytesMax,
    sizeCalculation: (value, key) => bytesInMemory(value) + bytesInMemory(key),
    fetchMethod: async (_name, _stale, { context }) => {
      const answer = await client.send(new GetSecretValueCommand(context));
      if (answer.SecretString === undefined) throw new Error('a secret holds no text');
      return answer.SecretString;
    },
  });
  return async function readSecret(name: SecretName, VersionId: string): Promise<string> {
    const SecretId = nameOf(prefix, name);
    return kept.forceFetch(`${SecretId} ${VersionId}`, { context: { SecretId, VersionId } });
  };
}
