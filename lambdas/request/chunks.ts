export interface Chunks {
  /** The content among these bytes, and whether the body has ended with them, or can be read no further. */
  readonly take: (bytes: Uint8Array) => { readonly content: readonly Uint8Array[]; readonly isLast: boolean };
}

/** The size of a chunk, with what may stand behind it; longer ones are not read. */
const lineLengthMax = 1_024;

/** Takes the chunked coding off a body. Chunks that are written wrongly end it. Source: RFC 9112, 7.1. */
export function makeChunks(): Chunks {
  let line = '';
  let left = 0; // of the chunk that is being read
  let isBehindChunk = false;
  let isLast = false;

  function takeLine(text: string): void {
    const isBetween = text === '' && isBehindChunk;
    isBehindChunk = false;
    // One line behind a chunk, before the size of the next; of more there would be no end.
    if (isBetween) return;
    const size = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i.exec(text)?.[1];
    left = parseInt(size ?? '0', 16);
    isLast = left === 0;
  }

  return {
    take: (bytes) => {
      const content: Uint8Array[] = [];
      for (let from = 0; from < bytes.byteLength && !isLast;) {
        if (left > 0) {
          const piece = bytes.subarray(from, from + left);
          content.push(piece);
          [left, from, isBehindChunk] = [left - piece.byteLength, from + piece.byteLength, true];
          continue;
        }
        const end = bytes.indexOf(0x0a, from);
        line += Buffer.from(bytes.subarray(from, end === -1 ? undefined : end)).toString('latin1');
        from = end === -1 ? bytes.byteLength : end + 1;
        isLast = line.length > lineLengthMax;
        if (end === -1) continue;
        takeLine(line.trim());
        line = '';
      }
      return { content, isLast };
    },
  };
}
