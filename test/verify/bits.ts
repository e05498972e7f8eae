/** The bytes with one bit flipped; `bit` is taken modulo their number of bits. */
export function withBitChanged(bytes: Uint8Array, bit: number): Buffer {
  const at = bit % (bytes.length * 8);
  const changed = Buffer.from(bytes);
  changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
  return changed;
}
