import type { Readable } from 'node:stream';

/** What is read of any response's body: enough for an error page, too little to hurt. */
export const responseBytesMax = 16_384;

export interface Body {
  /** Resolves when the body is complete, cut or broken; never rejects. */
  readonly done: Promise<unknown>;
  /** What has come so far. */
  readonly bytes: () => Uint8Array;
}

/** Reads a response's body as it came, never inflated, up to `responseBytesMax`; the rest stays in the network. */
export function collectBody(source: Readable): Body {
  const { promise: done, resolve } = Promise.withResolvers<undefined>();
  const chunks: Uint8Array[] = [];
  let length = 0;
  source.on('data', (chunk: Uint8Array) => {
    if (length >= responseBytesMax) return;
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length < responseBytesMax) return;
    source.pause();
    resolve(undefined);
  });
  for (const event of ['end', 'error', 'close']) {
    source.on(event, () => {
      resolve(undefined);
    });
  }
  return { done, bytes: () => Buffer.concat(chunks).subarray(0, responseBytesMax) };
}

/** Text that can be shown: invalid UTF-8 is replaced; control characters but line feed and tab are removed. */
export function readableText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/(?![\n\t])\p{Cc}/gu, '');
}
