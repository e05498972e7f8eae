import { VerificationError } from './verification-error.ts';

/** Headers by name in any case, as Node, Express, Fastify and API Gateway give them. */
export type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The `Headers` of fetch, Hono or Next.js. */
export interface HeaderLookup {
  get(name: string): string | null;
}

/** A request as it came in. Express's own request is one, when `express.raw()` read its body. */
export interface WebhookRequest {
  /** The body as received, not parsed. */
  readonly body: string | Uint8Array;
  readonly headers: HeaderRecord | HeaderLookup;
}

/** What verification needs of a request: bytes, and a way to ask for a header that stands there exactly once. */
export interface ReadRequest {
  readonly body: Uint8Array;
  /** @throws VerificationError `missing_header`, or `malformed` when it stands there more than once. */
  readonly header: (name: string) => string;
}

/**
 * Reads a request that may be anything: callers in JavaScript have no types, and Express's body is `any`.
 *
 * @throws VerificationError `body_not_raw`, `invalid_options`.
 */
export function readRequest(request: unknown): ReadRequest {
  if (!isObject(request)) throw new VerificationError('invalid_options', { hint: noRequest });
  const { headers } = request;
  if (!isObject(headers)) throw new VerificationError('invalid_options', { hint: noRequest });
  return { body: bytesOf(request['body']), header: readHeader };

  function readHeader(name: string): string {
    const [value, ...more] = isObject(headers) ? valuesOf(headers, name) : [];
    if (value === undefined || value === '') {
      throw new VerificationError('missing_header', { hint: `The header ${name} is missing.` });
    }
    // Two of one header are read differently by everything on the way: refuse, do not choose.
    if (more.length > 0 || typeof value !== 'string') throw new VerificationError('malformed');
    return value;
  }
}

const noRequest = 'The first argument of verify has to be { body, headers }.';

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof Uint8Array) return body;
  throw new VerificationError('body_not_raw');
}

function valuesOf(headers: Record<string, unknown>, name: string): unknown[] {
  const get = headers['get'];
  if (typeof get === 'function') {
    const value: unknown = Reflect.apply(get, headers, [name]);
    return value === null || value === undefined ? [] : [value];
  }
  return Object.entries(headers)
    .filter(([key, value]) => key.toLowerCase() === name && value !== undefined && value !== null)
    .flatMap(([, value]: [string, unknown]) => value);
}

/** An object with whatever members; nothing is known of them. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
