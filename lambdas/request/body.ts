import { makeChunks } from './chunks.ts';
import type { ResponseHead } from './response-head.ts';

/** What is read of any response's body: enough for an error page, too little to hurt. */
const responseBytesMax = 16_384;

export interface Body {
  /** Takes what has come; whether that was all there is, or all that is read. */
  readonly take: (bytes: Uint8Array) => boolean;
  /** What has come so far. */
  readonly bytes: () => Uint8Array;
}

/** Collects a response's body as it came, never inflated, up to `responseBytesMax`; the rest stays in the network. */
export function makeBody(head: ResponseHead): Body {
  const chunks = isChunked(head) ? makeChunks() : undefined;
  const bytesMax = Math.min(responseBytesMax, chunks === undefined ? lengthOf(head) : Infinity);
  const kept: Uint8Array[] = [];
  let length = 0;
  return {
    take: (bytes) => {
      const { content, isLast } = chunks?.take(bytes) ?? { content: [bytes], isLast: false };
      for (const piece of content) {
        kept.push(piece.subarray(0, bytesMax - length));
        length = Math.min(bytesMax, length + piece.byteLength);
      }
      return isLast || length >= bytesMax;
    },
    bytes: () => Buffer.concat(kept),
  };
}

/** Of several codings the last one frames the message. Source: RFC 9112, 6.3. */
function isChunked({ status, fields }: ResponseHead): boolean {
  return !hasNoBody(status) && /(?:^|[, \t])chunked$/i.test(fields.get('transfer-encoding')?.at(-1) ?? '');
}

/** A 204 ends with its head, whatever that says. Lengths that contradict each other are none: the body ends with the connection. */
function lengthOf({ status, fields }: ResponseHead): number {
  if (hasNoBody(status)) return 0;
  if (fields.has('transfer-encoding')) return Infinity;
  const lengths = new Set(fields.get('content-length')?.flatMap((value) => value.split(/[, \t]+/)));
  const [length = ''] = lengths;
  return lengths.size === 1 && /^\d+$/.test(length) ? Number(length) : Infinity;
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

/** Text that can be shown: invalid UTF-8 is replaced; control characters but line feed and tab are removed. */
export function readableText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/(?![\n\t])\p{Cc}/gu, '');
}
