import { join, resolve } from 'node:path';
import type { Runtime } from '../../local/runtime.ts';

/** What a client is generated from, and works with. */
export interface Ground {
  readonly runtime: Runtime;
  /** Path of the API's description. */
  readonly description: string;
  /** Where generated clients are put; ignored by git. */
  readonly folder: string;
  readonly organizationId: string;
  readonly token: string;
}

export const root = resolve(import.meta.dirname, '../..');
export const documentation = join(root, 'docs/clients');

/** Of each step. */
export const limitMs = 120_000;

/** Path of a program that npm has installed. */
export function toolOf(name: string): string {
  return join(root, 'node_modules/.bin', name);
}

/** What a program that uses a client is told. */
export function environmentOf({ runtime, organizationId, token }: Ground): Record<string, string> {
  return {
    TIDINGS_API: runtime.api,
    TIDINGS_TOKEN: token,
    TIDINGS_ORGANIZATION: organizationId,
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
