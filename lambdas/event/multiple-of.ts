import { alike } from '../shared/decimal.ts';

/**
 * Whether a number is a multiple of another one, both as they are written: 19.99 is one of 0.01, though as doubles their
 * quotient is 1998.9999999999998.
 */
export function isMultipleOf(value: number, divisor: number): boolean {
  if (!Number.isFinite(value) || divisor === 0) return false;
  // Most are, and of them the remainder is exact.
  if (Number.isInteger(value) && Number.isInteger(divisor)) return value % divisor === 0;
  const [one, other] = alike(value, divisor).digits;
  return one % other === 0n;
}
