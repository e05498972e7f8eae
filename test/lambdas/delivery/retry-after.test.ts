import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { retryAfterMs } from '../../../lambdas/delivery/retry-after.ts';
import { asctimeAt, httpDateAt, rfc850At } from './http-dates.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-27T12:37:43Z');

describe('Retry-After is read in every form in which a server may write it', () => {
  test.each([
    ['seconds', '30', 30_000],
    ['seconds between spaces', ' 30\t', 30_000],
    ['seconds with zeros before them', '0030', 30_000],
    ['two headers that a proxy has joined', '900, 900', 900_000],
    ['the form of today', 'Fri, 27 Nov 2026 12:52:43 GMT', 900_000],
    ['the form of RFC 850', 'Friday, 27-Nov-26 12:52:43 GMT', 900_000],
    ['the same with the whole year', 'Fri, 27-Nov-2026 12:52:43 GMT', 900_000],
    ['the form of asctime', 'Fri Nov 27 12:52:43 2026', 900_000],
    ['asctime with a day of one digit', 'Fri Nov  6 12:52:43 2026', 0],
    ['between spaces', ' Fri, 27 Nov 2026 12:52:43 GMT ', 900_000],
    ['in capitals', 'FRI, 27 NOV 2026 12:52:43 GMT', 900_000],
    ['with UTC', 'Fri, 27 Nov 2026 12:52:43 UTC', 900_000],
    ['with an offset of nothing', 'Fri, 27 Nov 2026 12:52:43 +0000', 900_000],
    ['with a wrong day of the week', 'Mon, 27 Nov 2026 12:52:43 GMT', 900_000],
    ['with a leap second', 'Fri, 27 Nov 2026 12:59:60 GMT', 1_336_000],
  ])('%s: %j', (_name, header, expected) => {
    expect(retryAfterMs(header, { nowMs })).toBe(expected);
  });

  test('any time of the next day, in all three forms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400 }), (seconds) => {
        const timeMs = nowMs + seconds * 1000;
        const waits = [httpDateAt, rfc850At, asctimeAt].map((write) =>
          retryAfterMs(write(timeMs), { nowMs }),
        );
        expect(waits).toEqual([seconds * 1000, seconds * 1000, seconds * 1000]);
      }),
    );
  });
});

describe('a year of two digits', () => {
  test.each([
    ['2026-11-27T12:00:00Z', 'Friday, 27-Nov-76 12:00:00 GMT', dayMs],
    ['2026-11-27T12:00:00Z', 'Saturday, 27-Nov-77 12:00:00 GMT', 0],
    ['2026-11-27T12:00:00Z', 'Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['2099-12-31T23:59:00Z', 'Friday, 01-Jan-00 00:00:00 GMT', 60_000],
  ])('at %s, %j is at most fifty years ahead', (now, header, expected) => {
    expect(retryAfterMs(header, { nowMs: Date.parse(now) })).toBe(expected);
  });
});

describe('Retry-After is no hint, or no longer than a day', () => {
  test.each([
    ['now', '0', 0],
    ['a date in the past', httpDateAt(nowMs - 5_000), 0],
    ['a date in the past, of RFC 850', rfc850At(nowMs - 5_000), 0],
    ['a date in the past, of asctime', asctimeAt(nowMs - 5_000), 0],
    ['ten years in seconds', '315360000', dayMs],
    ['ten years as a date', httpDateAt(nowMs + 3_650 * dayMs), dayMs],
    ['the last year of four digits', 'Fri, 31 Dec 9999 23:59:59 GMT', dayMs],
    ['more digits than a number has', '9'.repeat(256), dayMs],
    ['more digits than can be counted', '9'.repeat(400), dayMs],
    ['negative', '-30', 0],
    ['with a plus', '+30', 0],
    ['a fraction', '1.5', 0],
    ['an exponent', '1e9', 0],
    ['hexadecimal', '0x10', 0],
    ['garbage', 'soon', 0],
    ['two values', '30, 60', 0],
    ['seconds with a unit', '30s', 0],
    ['an ISO time', '2030-01-01T00:00:00Z', 0],
    ['a time somewhere else', 'Fri, 27 Nov 2026 12:52:43 +0100', 0],
    ['a month that does not exist', 'Fri, 27 Foo 2026 12:52:43 GMT', 0],
    ['a day that does not exist', 'Thu, 32 Dec 2026 12:52:43 GMT', 0],
    ['an hour that does not exist', 'Fri, 27 Nov 2026 25:52:43 GMT', 0],
    ['nothing', '', 0],
    ['no header', undefined, 0],
  ])('%s: %s is %i ms', (_name, header, expected) => {
    expect(retryAfterMs(header, { nowMs })).toBe(expected);
  });
});
