import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberText, withMemberText } from '../../../lambdas/shared/json-text.ts';

// Not '"' beside '\\': Node 24.21 takes the one for the other in JSON.parse('{"\\"":1}'), once it has seen '{"\\\\":1}'.
const name = fc.constantFrom('data', 'd\\u0061ta', 'Data', 'other', '', '__proto__', 'a\\"b', '\\\\');
const blank = fc.stringMatching(/^[ \t\r\n]{0,2}$/);

/** Values as a producer may write them, also such as no parser gives back unchanged. */
const value = fc.oneof(
  fc.json(),
  fc.constantFrom(
    '1.0',
    '-0',
    '1e400',
    '9223372036854775807',
    '"\\"}"',
    '"]\\\\"',
    '{"a":1,"a":2}',
    '{ "10" : 3, "2":4 }',
  ),
  fc.string().map((text) => JSON.stringify(text)),
);

const objectText = fc
  .array(fc.tuple(blank, name, blank, blank, value, blank), { maxLength: 6 })
  .map(
    (members) =>
      `{${members.map(([a, key, b, c, text, d]) => `${a}"${key}"${b}:${c}${text}${d}`).join(',')}}`,
  );

describe('the text of a member', () => {
  it('is what stands there, and parsed it is what JSON.parse finds under the name', () => {
    fc.assert(
      fc.property(
        objectText,
        blank,
        fc.constantFrom('data', 'other', '', '__proto__', 'a"b', '\\', 'none'),
        (text, around, key) => {
          const whole = around + text + around;
          const found = memberText(whole, key);
          const parsed = JSON.parse(whole) as Record<string, unknown>;
          const wanted = Object.getOwnPropertyDescriptor(parsed, key);
          expect(found === undefined).toBe(wanted === undefined);
          if (found === undefined) return;
          expect(whole).toContain(found);
          expect(JSON.parse(found)).toEqual(wanted?.value);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('of an object that was put together is the text that was put in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value, (members, text) => {
        expect(memberText(withMemberText(members, 'data', text), 'data')).toBe(text);
      }),
    );
  });

  it.each(['1', '"a"', '[{"data":1}]', '{}', ' { } ', '{"a":{"data":1}}'])('is not in %s', (text) => {
    expect(memberText(text, 'data')).toBeUndefined();
  });

  it('is found behind a million escaped quotation marks, brackets and backslashes', () => {
    const hard = `${'\\"'.repeat(300_000)}${'\\\\'.repeat(300_000)}${'[{'.repeat(200_000)}`;
    const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect(memberText(`{"a":"${hard}","b":${nested},"data":1.0}`, 'data')).toBe('1.0');
  });
});
