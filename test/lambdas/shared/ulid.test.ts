import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeOfUlid, ulid, ulidTimeMax } from '../../../lambdas/shared/ulid.ts';

const timeMs = fc.integer({ min: 0, max: ulidTimeMax });
const tail = fc.uint8Array({ minLength: 10, maxLength: 32 });

describe('ulid', () => {
  it('is written as the specification writes it', () => {
    // The example of github.com/ulid/spec, and the two ends of the range.
    expect(ulid(1_469_922_850_259, new Uint8Array(10)).slice(0, 10)).toBe('01ARZ3NDEK');
    expect(ulid(0, new Uint8Array(10))).toBe('0'.repeat(26));
    expect(ulid(ulidTimeMax, new Uint8Array(10).fill(255))).toBe(`7${'Z'.repeat(25)}`);
  });

  it('gives its time back', () => {
    fc.assert(
      fc.property(timeMs, tail, (time, bytes) => {
        expect(timeOfUlid(ulid(time, bytes))).toBe(time);
      }),
    );
  });

  it('sorts as text by time, whatever follows the time', () => {
    fc.assert(
      fc.property(fc.tuple(timeMs, tail), fc.tuple(timeMs, tail), ([early, earlyTail], [late, lateTail]) => {
        fc.pre(early < late);
        expect(ulid(early, earlyTail) < ulid(late, lateTail)).toBe(true);
      }),
    );
  });

  it('holds all 80 bits: two tails that differ make two ids', () => {
    fc.assert(
      fc.property(
        timeMs,
        tail,
        fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 255 })),
        (time, one, [place, bits]) => {
          const other = one.with(place, (one[place] ?? 0) ^ bits);
          expect(ulid(time, one)).not.toBe(ulid(time, other));
        },
      ),
    );
  });

  it('uses the first ten bytes only', () => {
    fc.assert(
      fc.property(timeMs, tail, (time, bytes) => {
        expect(ulid(time, bytes)).toBe(ulid(time, bytes.subarray(0, 10)));
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, ulidTimeMax + 1])('refuses the time %d', (time) => {
    expect(() => ulid(time, new Uint8Array(10))).toThrow(RangeError);
  });

  it('refuses fewer than ten bytes', () => {
    expect(() => ulid(0, new Uint8Array(9))).toThrow(RangeError);
  });
});
