/** A number as it is written in decimal: `digits` times ten to the power of `exponent`. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/**
 * The shortest decimal that stands for a double, which is what was written, up to fifteen digits.
 *
 * @param value finite
 */
function decimalOf(value: number): Decimal {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/**
 * Two decimals as whole numbers of one power of ten, by which they are added and compared exactly.
 *
 * @param value finite, as the other one
 */
export function alike(
  value: number,
  otherValue: number,
): { readonly digits: readonly [bigint, bigint]; readonly exponent: number } {
  const [one, other] = [decimalOf(value), decimalOf(otherValue)];
  const exponent = Math.min(one.exponent, other.exponent);
  return { digits: [scaled(one, exponent), scaled(other, exponent)], exponent };
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}
