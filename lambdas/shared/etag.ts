import { createHash } from 'node:crypto';
import { Conflict, MadeMeanwhile, PreconditionFailed } from './errors.ts';

/** The strong ETag (RFC 9110, section 8.8.3) of what a caller sees of something; the order of fields does not count. */
export function etagOf(shown: unknown): string {
  const text = JSON.stringify(shown, (_name, value: unknown) => (isObject(value) ? sorted(value) : value));
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Not `canonicalText`, which has another text for a number that no double can hold: event types are stored with their
 * tag, and one that holds such a number could not be changed any more.
 */
function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * The ETag of an answer of which only a part is what people set: that part, and then all of it. `If-Match` asks for the
 * first half, so that nobody is refused because an endpoint has begun to fail; a cache compares both.
 *
 * @param settings what people set; the answer itself when that is all
 */
export function etagOfAnswer(answer: unknown, settings: unknown): string {
  const [whole, part] = [etagOf(answer), etagOf(settings)];
  return whole === part ? whole : `${part.slice(0, -1)}.${whole.slice(1)}`;
}

/** What the request says of the state that it is meant for. */
export interface Conditions {
  /** The header `If-Match`. */
  readonly ifMatch?: string | undefined;
  /** The header `If-None-Match`. */
  readonly ifNoneMatch?: string | undefined;
}

/** Of the tags of a header, those that stand for what is there; a weak tag stands for nothing. */
function isAmong(header: string, current: string): boolean {
  return tagsIn(header).some((tag) => tag === '*' || tag.replace(/\.[\w-]+"$/, '"') === current);
}

function tagsIn(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}

/**
 * Holds `If-Match` and `If-None-Match` (RFC 9110, sections 13.1.1 and 13.1.2) of a change against what is there now;
 * without them everything matches.
 *
 * @param shown `undefined` when there is nothing, which no tag matches
 * @throws PreconditionFailed `changed_meanwhile` when it is not what the caller has seen, `already_exists` when it is
 * there and the caller wanted it not to be.
 */
export function mustMatch({ ifMatch, ifNoneMatch }: Conditions, shown: unknown): void {
  const current = shown === undefined ? undefined : etagOf(shown);
  if (ifMatch !== undefined && (current === undefined || !isAmong(ifMatch, current))) {
    throw new PreconditionFailed('changed_meanwhile', whyNoMatch(ifMatch, current));
  }
  if (ifNoneMatch !== undefined && current !== undefined && isAmong(ifNoneMatch, current)) {
    throw alreadyExists();
  }
}

function alreadyExists(): PreconditionFailed {
  return new PreconditionFailed(
    'already_exists',
    'It is there already, and If-None-Match asked that it is not.',
  );
}

/** Who could not have matched whatever is there is not told of others. */
function whyNoMatch(ifMatch: string, current: string | undefined): string {
  if (current === undefined) return 'There is nothing here that an If-Match could match.';
  const tags = tagsIn(ifMatch);
  if (tags.some((tag) => strongTag.test(tag))) {
    return 'It is not what you have seen: somebody else has changed it since. Read it again.';
  }
  return tags.some((tag) => tag.startsWith('W/'))
    ? 'A weak tag (W/"…") matches nothing here: If-Match takes the strong one that a GET answers.'
    : 'If-Match holds no tag: give the ETag as it was answered, with its quotes, such as "abc".';
}

/** RFC 9110, section 8.8.3. */
const strongTag = /^"[^"]*"$/;

/**
 * Who said by `If-Match` what he had seen is told that it is that no more, also if it ceased to be so while he was served;
 * so is who said by `If-None-Match: *` that it must not be there.
 */
export function asOvertaken({ ifMatch, ifNoneMatch }: Conditions, fault: unknown): unknown {
  if (!(fault instanceof Conflict) || fault.code !== 'changed_meanwhile') return fault;
  // Of another conflict nobody knows that it is there: an endpoint was changed, say, that still has no certificate.
  const isMade =
    fault instanceof MadeMeanwhile && ifNoneMatch !== undefined && tagsIn(ifNoneMatch).includes('*');
  if (isMade) return alreadyExists();
  return ifMatch === undefined ? fault : new PreconditionFailed(fault.code, fault.message);
}

/**
 * Whether the caller of a GET has this answer already. Weak tags count here (RFC 9110, section 13.1.2): a proxy that
 * compresses an answer weakens its tag.
 */
export function isKnown(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined || etag === undefined) return false;
  return tagsIn(ifNoneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}
