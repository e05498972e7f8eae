import { unsupported } from './refusal.ts';

/**
 * The sum of two numbers as DynamoDB has it, whose numbers are decimal: 0.1 and 0.2 make 0.3. Between whole numbers
 * there is no difference, and nearly all are.
 */
export function sum(one: number, other: number): number {
  const quick = one + other;
  if (Number.isSafeInteger(one) && Number.isSafeInteger(other) && Number.isSafeInteger(quick)) return quick;
  const [a, b] = [decimalOf(one), decimalOf(other)];
  const exponent = Math.min(a.exponent, b.exponent);
  const digits = scaled(a, exponent) + scaled(b, exponent);
  const exact = Number(`${String(digits)}e${exponent}`);
  // The document client would make a BigInt of it.
  if (Math.abs(exact) > Number.MAX_SAFE_INTEGER) throw unsupported('numbers as large as a sum of these');
  return exact;
}

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function decimalOf(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}
