import { createHmac, timingSafeEqual } from 'node:crypto';
import { InvalidRequest } from '../shared/errors.ts';

/** Bytes of a cursor's seal: nobody guesses 128 bits. */
const sealBytes = 16;

/** The list that a cursor belongs to: its path names the organization, and a filter makes another list of it. */
export interface List {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
}

/** A cursor as it leaves: its place, and a seal by which only the list that gave it takes it back. */
export function sealCursor(key: Uint8Array, list: List, place: string): string {
  return `${place}.${sealOf(key, list, place).toString('base64url')}`;
}

/**
 * The place in a sealed cursor.
 *
 * @throws InvalidRequest `invalid_cursor` for one of another list, another organization or another deployment, and
 * for one that somebody has changed.
 */
export function openCursor(key: Uint8Array, list: List, sealed: string): string {
  const [place = '', seal = ''] = sealed.split('.');
  const given = Buffer.from(seal, 'base64url');
  const isGenuine = given.length === sealBytes && timingSafeEqual(given, sealOf(key, list, place));
  // As text, too: base64 has several spellings of the same bytes.
  if (isGenuine && sealed === `${place}.${given.toString('base64url')}`) return place;
  throw new InvalidRequest(
    'invalid_cursor',
    'Give back nextCursor of the same list with the same filters, unchanged.',
    'cursor',
  );
}

/** How many to a page may change from one page to the next. */
const free = new Set(['cursor', 'limit']);

function sealOf(key: Uint8Array, { path, query }: List, place: string): Buffer {
  const filters = Object.entries(query)
    .filter(([name]) => !free.has(name))
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify([path, filters, place]);
  return createHmac('sha256', key).update(text).digest().subarray(0, sealBytes);
}
