import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDepth, jsonObject, parseJson } from '../../../lambdas/shared/json.ts';

/** What a receiver gets of what a producer sent. */
function passedOn(text: string): string {
  return JSON.stringify(parseJson(text));
}

describe('parseJson', () => {
  it.each([
    '12345678901234567890',
    '-9007199254740993',
    '0.12345678901234567890123',
    '1234567890123456789e-3',
    '[1,{"deep":[12345678901234567890]}]',
    '{"small":1,"large":12345678901234567890}',
  ])('passes %s on as it came', (text) => {
    expect(passedOn(text)).toBe(text);
  });

  // A double turns these into Infinity, which JSON.stringify writes as null, into 0, or into other digits.
  it.each(['1e400', '-1E+999', '1e-400', '123456789012e-330'])('passes on the same number as %s', (text) => {
    expect(valueOf(passedOn(text))).toEqual(valueOf(text));
  });

  it('passes every number on as the same number', () => {
    fc.assert(
      fc.property(numberLiteral, (text) => {
        expect(valueOf(passedOn(text))).toEqual(valueOf(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves digits in texts and names alone', () => {
    const text = '{"12345678901234567890":"12345678901234567890"}';
    expect(parseJson(text)).toEqual({ '12345678901234567890': '12345678901234567890' });
  });

  it('gives plain numbers where a double holds them', () => {
    expect(parseJson('[9007199254740991, 0.1, 12345678901234567890, 5]')).toMatchObject([
      9_007_199_254_740_991,
      0.1,
      {},
      5,
    ]);
  });

  it('reads any other JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(passedOn(text)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it.each(['', '{', 'undefined', '01', '1.', '{"a":12345678901234567890', "{'a':1}"])(
    'throws a SyntaxError for %j',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );
});

describe('jsonObject', () => {
  it.each(['{}', '{"a":1}', '{"n":12345678901234567890}', '{"__proto__":{"a":1}}'])(
    'hands %s on as it is',
    (text) => {
      expect(JSON.stringify(jsonObject.parse(parseJson(text)))).toBe(text);
    },
  );

  it.each(['[]', 'null', '5', '"text"', 'true', '12345678901234567890'])('refuses %s', (text) => {
    expect(jsonObject.safeParse(parseJson(text)).success).toBe(false);
  });
});

describe('jsonDepth', () => {
  it.each([
    ['5', 0],
    ['"[[["', 0],
    ['{}', 1],
    ['[[],[]]', 2],
    ['{"a":[{"b":[]}]}', 4],
    [String.raw`["\\",["\"[[["]]`, 2],
    ['{"[":"]","{":["}"]}', 2],
  ])('of %s is %d', (text, expected) => {
    expect(jsonDepth(text)).toBe(expected);
  });

  it('is that of the parsed value, for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(jsonDepth(text)).toBe(depthOf(JSON.parse(text)));
      }),
    );
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Within three digits of exponent, where doubles begin and cease to hold numbers. */
const numberLiteral = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.option(fc.stringMatching(/^\d{1,25}$/)),
    fc.option(fc.integer({ min: -290, max: 270 })),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${String(whole)}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  );

interface Exact {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

/** What a JSON number is worth, to the last digit: digits without outer zeros times a power of ten. */
function valueOf(literal: string): Exact {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? [literal];
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { isNegative: false, digits: match === null ? literal : '0', exponent: 0 };
  return {
    isNegative: sign === '-',
    digits,
    exponent: Number(exponent) - fraction.length + (all.length - digits.length),
  };
}

it('a number that is only written otherwise than JavaScript would is that number', () => {
  expect(parseJson('[5.960464477539063e-08, 1e+030, 1.5E300]')).toEqual([
    5.960464477539063e-8, 1e30, 1.5e300,
  ]);
});
