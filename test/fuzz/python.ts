import { join } from 'node:path';
import { cacheOf, preparePython } from '../python.ts';

/** Ignored by git; nothing is installed anywhere else. */
export const cache = cacheOf('fuzz');

/**
 * Installs Schemathesis in the versions of `requirements.txt`; does nothing when it is there.
 *
 * @returns path of its command
 * @throws NotRun when there is no Python, or the packages cannot be fetched.
 */
export function prepareSchemathesis(): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  return preparePython({ name: 'fuzz', command: 'schemathesis', requirements });
}
