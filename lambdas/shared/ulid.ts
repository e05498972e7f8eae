const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The latest time a ULID can hold: 48 bits of milliseconds, in the year 10889. */
export const ulidTimeMax = 2 ** 48 - 1;

/**
 * A ULID (github.com/ulid/spec): 48 bits of time, then 80 bits that the caller gives, in Crockford's base 32.
 * ULIDs sort as text by their time. The library `ulid` makes only random ones; event ids need chosen bits.
 *
 * @param timeMs milliseconds since 1970
 * @param tail at least ten bytes, of which the first ten are used
 * @throws RangeError when the time does not fit or bytes are missing.
 */
export function ulid(timeMs: number, tail: Uint8Array): string {
  if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > ulidTimeMax) {
    throw new RangeError('the time does not fit into a ULID');
  }
  if (tail.length < 10) throw new RangeError('a ULID needs ten bytes after its time');
  const low = tail.subarray(0, 10).reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
  let bits = (BigInt(timeMs) << 80n) | low;
  let text = '';
  for (let place = 0; place < 26; place += 1) {
    text = alphabet.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return text;
}

/** The time that a ULID holds, in milliseconds since 1970. */
export function timeOfUlid(text: string): number {
  let timeMs = 0;
  for (const letter of text.slice(0, 10)) timeMs = timeMs * 32 + alphabet.indexOf(letter);
  return timeMs;
}
