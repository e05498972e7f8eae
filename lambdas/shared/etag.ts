import { createHash } from 'node:crypto';
import { PreconditionFailed } from './errors.ts';

/** The strong ETag (RFC 9110, section 8.8.3) of what a caller sees of something; the order of fields does not count. */
export function etagOf(shown: unknown): string {
  const text = JSON.stringify(shown, (_name, value: unknown) => (isObject(value) ? sorted(value) : value));
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** A weak tag matches nothing. */
function isAmong(ifMatch: string, current: string): boolean {
  return ifMatch.trim() === '*' || ifMatch.split(',').some((tag) => tag.trim() === current);
}

/**
 * Holds `If-Match` (RFC 9110, section 13.1.1) against what is there now; without the header everything matches.
 *
 * @param shown `undefined` when there is nothing, which no tag matches
 * @throws PreconditionFailed `changed_meanwhile` when it is not what the caller has seen.
 */
export function mustMatch(ifMatch: string | undefined, shown: unknown): void {
  if (ifMatch === undefined || (shown !== undefined && isAmong(ifMatch, etagOf(shown)))) return;
  throw new PreconditionFailed(
    'changed_meanwhile',
    'It is not what you have seen: somebody else has changed it since. Read it again.',
  );
}
