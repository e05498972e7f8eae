import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearPattern } from '../../../lambdas/event/linear-pattern.ts';
import { withinBudget } from '../../../lambdas/event/within-budget.ts';
import { growthMax, growthOf } from '../../fakes/growth.ts';
import { heapBytes } from '../../fakes/heap.ts';

describe('a pattern', () => {
  const samples = [
    '',
    'a',
    'ab',
    'b\n',
    '\u2028',
    '\u00a0x',
    '😀',
    '[',
    ']',
    '-',
    '\b',
    '0',
    '_',
    '\ufeff',
    'é',
    'A.',
  ];

  it.each([
    ...['^.$', '.', '\\s', '\\S', '^[\\s\\d]+$', '[^\\s]', '[^\\S]', '[\\S]', '[]', '[^]', '[]|a', 'x[^]'],
    ...[
      '[[]',
      '[\\b]',
      '\\bA',
      '\\u0041',
      '\\ud83d\\ude00',
      '[\\ud83d\\ude00]',
      '\\u{1F600}',
      '^\\p{L}+$',
      '\\P{L}',
    ],
    ...[
      '(?<name>a)b',
      '(?:a|b)+',
      '^a{0,2}b?$',
      '\\cJ',
      '\\0',
      '[a\\-b]',
      '\\.',
      '\\/',
      '[\\w.]+',
      '^$',
      'a|',
      '\\x41',
    ],
    ...[
      '^(?!a)',
      '(?<=a)b',
      '(a)\\1',
      '\\p{Script=Latin}',
      '^(?:a{1,1000}){0,3}$',
      '(?i:a)',
      '(?s:.)',
      '[\\]]',
      '\\[a',
    ],
  ])('means what ECMA-262 says: %s', (source) => {
    const [pattern, native] = [linearPattern(source, 'u'), new RegExp(source, 'u')];
    for (const sample of samples)
      expect([sample, pattern.test(sample)]).toEqual([sample, native.test(sample)]);
  });

  it('means it whatever it is made of, and whatever is read', () => {
    const atom = fc.constantFrom(
      ...'ab.\\d \\s \\S \\w \\W [ab] [^a] [\\s\\S] [^\\s.] \\b ^ $ é (?:a|b) (a) \\n'.split(' '),
    );
    const count = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '*?');
    const part = fc
      .tuple(atom, count)
      .map(([what, times]) => (/^(?:\\b|\^|\$)$/.test(what) ? what : `${what}${times}`));
    const text = fc.string({ unit: fc.constantFrom(...Array.from('ab1_ .-é\n\r\t\u2028\u00a0😀')) });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.array(text, { maxLength: 20 }), (parts, texts) => {
        const source = parts.join('');
        const [pattern, native] = [linearPattern(source, 'u'), new RegExp(source, 'u')];
        for (const one of texts) expect(pattern.test(one)).toBe(native.test(one));
      }),
      { numRuns: 300 },
    );
  });

  it.each(['^([a-z]+)+$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]([a-z])+$', '^(a|a?)+$', 'a*a*a*b', '(.*,){12}P'])(
    'takes time in proportion to what it reads: %s',
    (source) => {
      const pattern = linearPattern(source, 'u');
      for (const letter of ['a', 'x', ',']) {
        const textOf = (size: number) => `${letter.repeat(size)}!`;
        // What backtracks would not end before whoever waits for this test gives up. The longest one takes 11 ms.
        withinBudget(2_000, () => pattern.test(textOf(32_000)));
        const growth = growthOf((size) => {
          const text = textOf(size);
          return () => pattern.test(text);
        }, 2_000);
        expect(growth).toBeLessThan(growthMax);
      }
    },
  );

  it.each([
    ['many texts', 40, 500],
    ['one long text', 1, 20_000],
  ])('remembers little of what it has read, whatever that is: %s', (_what, count, length) => {
    // Any sequence of the two letters leads to a state of its own.
    const patterns = ['a', 'b', '[ab]'].map((last) => linearPattern(`a(?:a|b){30}${last}[0-9]`, 'u'));
    const texts = Array.from({ length: count }, () => lettersOf(length));
    for (const pattern of patterns) pattern.test('a');
    const before = heapBytes();
    for (const pattern of patterns) for (const text of texts) pattern.test(text);
    expect(heapBytes() - before).toBeLessThan(8 * 2 ** 20);
  });

  it('that is none is refused', () => {
    expect(() => linearPattern('(', 'u')).toThrow(SyntaxError);
    expect(() => linearPattern('[[:alpha:]]', 'u')).toThrow(SyntaxError);
  });
});

/** In an order that does not come again. */
function lettersOf(length: number): string {
  return Array.from(randomBytes(length), (byte) => (byte % 2 === 0 ? 'a' : 'b')).join('');
}
