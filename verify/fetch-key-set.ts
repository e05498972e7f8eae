import { parseKeySet } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import { VerificationError } from './verification-error.ts';

export interface FetchedKeySet {
  readonly keys: KeySet;
  /** For how long the publisher lets it be kept; absent when it does not say. */
  readonly maxAgeSeconds: number | undefined;
}

/** Connecting, waiting and reading together: a receiver has 15 s to answer, and has work of its own to do. */
const timeoutMs = 5000;

/** A key takes about 250 bytes, RSA 500: this is hundreds of them. */
const bytesMax = 262_144;

/**
 * Fetches a key set. A redirect is a failure: the keys are at the URL that the receiver chose, nowhere else.
 *
 * @throws Error of any kind; the caller decides what it means.
 */
export async function fetchKeySet(url: string): Promise<FetchedKeySet> {
  const answer = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new Error(`the key set was answered with status ${answer.status}`);
  }
  const keys = parseKeySet(JSON.parse(await readText(answer)));
  if (keys === undefined) throw new Error('the answer is no key set');
  return { keys, maxAgeSeconds: maxAgeOf(answer.headers.get('cache-control') ?? '') };
}

/**
 * A URL to fetch keys from.
 *
 * @throws VerificationError `invalid_options` unless it is https: whoever can change the keys on the way can sign.
 */
export function readKeySetUrl(given: unknown): string {
  const url = typeof given === 'string' || given instanceof URL ? parseUrl(String(given)) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    const hint = 'jwksUrl has to be an https URL without credentials.';
    throw new VerificationError('invalid_options', { hint });
  }
  return url.href;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Reads up to the limit, whatever content-length says; leaving the loop cancels the rest. */
async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const received: AsyncIterable<Uint8Array> | undefined = answer.body ?? undefined;
  for await (const chunk of received ?? []) {
    length += chunk.byteLength;
    if (length > bytesMax) throw new Error('the key set is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** RFC 9111, section 5.2.2; what must not be kept is kept for the least time that the cache knows. */
function maxAgeOf(cacheControl: string): number | undefined {
  const directives = cacheControl.toLowerCase();
  if (/(^|[\s,])no-(store|cache)\b/.test(directives)) return 0;
  const seconds = /(?:^|[\s,])max-age=(\d{1,10})\b/.exec(directives)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
