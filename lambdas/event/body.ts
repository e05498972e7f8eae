import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { z } from 'zod';

/** Bytes of an event's detail: 256 KB, as EventBridge had it for years. */
export const detailBytesMax = 262_144;

/** What a stored body may take of DynamoDB's 400 KB for an item; the rest is for its other attributes. */
const storedBytesMax = 330_000;

/** Inflated, a body is at most the detail and its envelope: more would be a bomb in our own table. */
const inflatedBytesMax = 2 * detailBytesMax;

/** A body as it is stored: the exact bytes that every attempt signs and sends, compressed where that helps. */
export const storedBody = z.object({
  codec: z.enum(['br', 'none']),
  bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  length: z.number().int().nonnegative(),
  sha256: z.string(),
});

export type StoredBody = z.output<typeof storedBody>;

/** Compresses a body; `undefined` when it is longer than any we sign, or even compressed does not fit into an item. */
export function packBody(body: Uint8Array): StoredBody | undefined {
  if (body.length > inflatedBytesMax) return undefined;
  // Quality 4 costs a fraction of the default's CPU, for a few percent of the bytes.
  const squeezed = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
  const isWorthIt = squeezed.length < body.length;
  const bytes = isWorthIt ? squeezed : body;
  if (bytes.length > storedBytesMax) return undefined;
  return {
    codec: isWorthIt ? 'br' : 'none',
    bytes,
    length: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
  };
}

/**
 * Gives back the bytes that were packed.
 *
 * @throws Error when they are not the same bytes: what has been damaged is never signed and sent.
 */
export function unpackBody(stored: StoredBody): Uint8Array {
  const body =
    stored.codec === 'none'
      ? stored.bytes
      : brotliDecompressSync(stored.bytes, { maxOutputLength: inflatedBytesMax });
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (sha256 !== stored.sha256) throw new Error('a stored body is not what was stored');
  return body;
}
