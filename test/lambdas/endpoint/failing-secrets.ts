import { memorySecretStore } from '../api/a-service.ts';
import type { MemorySecretStore } from '../api/a-service.ts';

/** Secrets in memory, and the same with one call that fails: the one of its kind with this number, from 1. */
export function failingSecrets(
  kind: 'put' | 'remove',
  number: number,
): { readonly secrets: MemorySecretStore; readonly failing: MemorySecretStore } {
  const secrets = memorySecretStore();
  let calls = 0;
  const failAt = async (work: () => Promise<void>): Promise<void> => {
    calls += 1;
    if (calls === number) throw new Error('planted');
    await work();
  };
  const put: MemorySecretStore['put'] = (...given) => failAt(() => secrets.put(...given));
  const remove: MemorySecretStore['remove'] = (...given) => failAt(() => secrets.remove(...given));
  return { secrets, failing: { ...secrets, ...(kind === 'put' ? { put } : { remove }) } };
}
