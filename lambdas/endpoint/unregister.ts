import { Conflict } from '../shared/errors.ts';
import type { SecretName, SecretWriter } from '../signing/secret.ts';
import type { Endpoint } from './endpoint.ts';

export interface UnregisterPorts {
  readonly endpoints: {
    /** By this whoever has read it before can change it no more, and it is gone for everybody but its removal. */
    readonly startRemoval: (before: Endpoint) => Promise<boolean>;
    readonly remove: (organizationId: string, id: string) => Promise<void>;
  };
  readonly secrets: Pick<SecretWriter, 'remove'>;
}

/**
 * Removes an endpoint that is as it was read, with its secrets and what else is kept of it (`forget`). It is marked
 * first: one that somebody has changed stays, and keeps its secrets. The endpoint itself goes last, so that after a
 * failure the same call can be made again, with the same ETag.
 *
 * @throws Conflict `changed_meanwhile`
 */
export async function unregister(
  ports: UnregisterPorts,
  before: Endpoint,
  forget: (id: string) => Promise<void>,
): Promise<void> {
  const { organizationId, id } = before;
  if (!(await ports.endpoints.startRemoval(before))) throw changedMeanwhile();
  await removeSecrets(ports, { organizationId, endpointId: id });
  await forget(id);
  await ports.endpoints.remove(organizationId, id);
}

/** Removes all secrets of an endpoint; those that have been removed already stay so. */
export async function removeSecrets(
  { secrets }: Pick<UnregisterPorts, 'secrets'>,
  owner: Omit<SecretName, 'part'>,
): Promise<void> {
  for (const part of ['signing', 'headers', 'client-certificate'] as const)
    await secrets.remove({ ...owner, part });
}

export function changedMeanwhile(): Conflict {
  return new Conflict('changed_meanwhile', 'Somebody else has just changed this endpoint: read it again.');
}
