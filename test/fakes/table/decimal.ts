import { alike } from '../../../lambdas/shared/decimal.ts';
import { unsupported } from './refusal.ts';

/**
 * The sum of two numbers as DynamoDB has it, whose numbers are decimal: 0.1 and 0.2 make 0.3. Between whole numbers
 * there is no difference, and nearly all are.
 */
export function sum(one: number, other: number): number {
  const quick = one + other;
  if (Number.isSafeInteger(one) && Number.isSafeInteger(other) && Number.isSafeInteger(quick)) return quick;
  const {
    digits: [a, b],
    exponent,
  } = alike(one, other);
  const exact = Number(`${String(a + b)}e${exponent}`);
  // The document client would make a BigInt of it.
  if (Math.abs(exact) > Number.MAX_SAFE_INTEGER) throw unsupported('numbers as large as a sum of these');
  return exact;
}
