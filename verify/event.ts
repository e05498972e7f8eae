import { isObject } from './request.ts';
import { VerificationError } from './verification-error.ts';

/** An event as Tidings sends it. */
export interface WebhookEvent {
  /** The same over all attempts: remember it to drop what arrives twice. */
  readonly id: string;
  /** Such as `pipeline.run.failed`. */
  readonly type: string;
  /** When it happened: ISO 8601. */
  readonly timestamp: string;
  readonly organizationId: string;
  /** What it is about, such as `pipeline/42`: events of one resource are sent in order as well as can be. */
  readonly resource?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Reads an event out of a body whose signature is right. Members that are not known here are left out.
 *
 * @throws VerificationError `not_an_event`.
 */
export function parseEvent(body: Uint8Array): WebhookEvent {
  const value = parseJson(body);
  if (!isObject(value)) throw new VerificationError('not_an_event');
  const { id, type, timestamp, organizationId, resource, data } = value;
  const isEvent = isText(id) && isText(type) && isText(timestamp) && isText(organizationId) && isObject(data);
  if (!isEvent) throw new VerificationError('not_an_event');
  if (resource === undefined) return { id, type, timestamp, organizationId, data };
  if (typeof resource !== 'string') throw new VerificationError('not_an_event');
  return { id, type, timestamp, organizationId, resource, data };
}

/** The parser's own message would quote the body, so it is not passed on. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw new VerificationError('not_an_event');
  }
}

/** Strict: bytes that are not UTF-8 are refused, a byte order mark is kept, which JSON then refuses. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
