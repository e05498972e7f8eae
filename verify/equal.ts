import { timingSafeEqual } from 'node:crypto';

/**
 * Compares two texts in a time that tells nothing about where they differ. Texts, not decoded bytes: two spellings
 * of one value in base64 are not equal. Another length is just not equal; `timingSafeEqual` alone would throw.
 */
export function isEqual(given: string, expected: string): boolean {
  const givenBytes = Buffer.from(given, 'utf8');
  const expectedBytes = Buffer.from(expected, 'utf8');
  return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes);
}
