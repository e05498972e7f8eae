import { createHash } from 'node:crypto';
import { ulid } from '../../lambdas/shared/ulid.ts';
import { testStartMs } from './clock.ts';

/** An endpoint's id that says which one it is. */
export function endpointIdOf(name: string): string {
  return `ep_${ulid(testStartMs, hashOf(name))}`;
}

/** An event's id that says which one it is, and sorts by its time. */
export function eventIdOf(name: string, timeMs = testStartMs): string {
  return `evt_${ulid(timeMs, hashOf(name))}`;
}

/** A job's id that says which one it is. */
export function jobIdOf(name: string): string {
  return `job_${ulid(testStartMs, hashOf(name))}`;
}

function hashOf(name: string): Uint8Array {
  return createHash('sha256').update(name).digest();
}
