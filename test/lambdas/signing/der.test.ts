import fc from 'fast-check';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rawSignature } from '../../../lambdas/signing/der.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKey = createPrivateKey(pair.privateKey.export({ format: 'pem', type: 'sec1' }));
const publicKey = createPublicKey(privateKey);
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const number = fc.bigInt({ min: 1n, max: order - 1n });
/** Numbers of every length, most of them short. */
const anyLength = fc
  .tuple(fc.integer({ min: 1, max: 256 }), number)
  .map(([bits, one]) => (one & ((1n << BigInt(bits)) - 1n)) | 1n)
  .filter((one) => one < order);

describe('rawSignature', () => {
  it('gives what node:crypto verifies as ieee-p1363, for any signature of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const raw = rawSignature(sign('sha256', bytes, privateKey));
        expect(raw).toHaveLength(64);
        const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
        expect(verify('sha256', bytes, key, raw)).toBe(true);
      }),
    );
  });

  it('gives r and s, each in 32 bytes, however short they are', () => {
    fc.assert(
      fc.property(anyLength, anyLength, (r, s) => {
        expect(toHex(rawSignature(derOf(r, s)))).toBe(hex(r) + hex(s));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    1n,
    0x7fn,
    0x80n,
    0xffn,
    0x100n,
    1n << 247n,
    1n << 248n,
    (1n << 255n) - 1n,
    1n << 255n,
    order - 1n,
  ])('takes %d as r and as s', (one) => {
    expect(toHex(rawSignature(derOf(one, 1n)))).toBe(hex(one) + hex(1n));
    expect(toHex(rawSignature(derOf(1n, one)))).toBe(hex(1n) + hex(one));
  });

  it('reads a part of a larger buffer as that part alone', () => {
    const der = derOf(5n, order - 1n);
    const within = Buffer.concat([Buffer.of(9, 9), der, Buffer.of(9)]).subarray(2, 2 + der.length);
    expect(rawSignature(within)).toEqual(rawSignature(der));
  });
});

describe('a lenient encoding is refused', () => {
  const good = '3006020105020107';

  it('and the strict one of the same numbers is not', () => {
    expect(toHex(rawSignature(Buffer.from(good, 'hex')))).toBe(hex(5n) + hex(7n));
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['an empty sequence', '3000'],
    ['a SET', '3106020105020107'],
    ['one number', '3003020105'],
    ['three numbers', '3009020105020107020101'],
    ['a byte after the sequence', '300602010502010700'],
    ['a byte inside, after s', '300702010502010700'],
    ['a sequence said to be longer', '3007020105020107'],
    ['a sequence said to be shorter', '3005020105020107'],
    ['a length in the long form', '308106020105020107'],
    ['an indefinite length', '30800201050201070000'],
    ['a length of a number in the long form', '300702810105020107'],
    ['r with another tag', '3006030105020107'],
    ['s with another tag', '3006020105030107'],
    ['r without bytes', '30050200020107'],
    ['s without bytes', '30050201050200'],
    ['s cut off', '3006020105020207'],
    ['r that reaches over s', '3006020505020107'],
    ['r with a leading zero too many', '300702020005020107'],
    ['s with a leading zero too many', '300702010502020007'],
    ['two leading zeros', '30080203000080020107'],
    ['a negative r', '3006020185020107'],
    ['a negative s', '3006020105020187'],
    ['r of zero', '3006020100020107'],
    ['s of zero', '3006020105020100'],
    ['r of the order', toHex(derOf(order, 1n))],
    ['s of the order', toHex(derOf(1n, order))],
    ['s of 2^256 - 1', toHex(derOf(1n, (1n << 256n) - 1n))],
    ['r of 33 bytes', toHex(derOf(1n << 256n, 1n))],
    ['r of 34 bytes', toHex(derOf(1n << 264n, 1n))],
    ['the raw form itself', hex(5n) + hex(7n)],
  ])('%s', (_what, text) => {
    expect(() => rawSignature(Buffer.from(text, 'hex'))).toThrow(
      'this is not an ECDSA signature of P-256 in strict DER',
    );
  });

  it('whatever is taken has this one encoding: written out again, it is the same bytes', () => {
    const change = fc.tuple(fc.nat(71), fc.nat(255), fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(fc.tuple(anyLength, anyLength), change, ([r, s], [at, byte, cut]) => {
        const der = derOf(r, s);
        const bent = Uint8Array.from(der);
        if (at < bent.length) bent[at] = byte;
        const given = cut < 0 ? bent.subarray(0, cut) : Buffer.concat([bent, Buffer.alloc(cut)]);
        const raw = rawOrRefused(given);
        if (raw === undefined) return;
        const [first, second] = [raw.subarray(0, 32), raw.subarray(32)].map((half) =>
          BigInt(`0x${toHex(half)}`),
        );
        expect(toHex(derOf(first ?? 0n, second ?? 0n))).toBe(toHex(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it('any bytes are refused, or are such a signature', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(rawOrRefused(bytes)?.length ?? 64).toBe(64);
      }),
    );
  });
});

function rawOrRefused(der: Uint8Array): Uint8Array | undefined {
  try {
    return rawSignature(der);
  } catch (fault) {
    expect(fault).toMatchObject({ message: 'this is not an ECDSA signature of P-256 in strict DER' });
    return undefined;
  }
}

/** The one DER encoding (X.690, 8.3 and 10.1). */
function derOf(r: bigint, s: bigint): Buffer {
  const integers = [r, s].map((one) => {
    const digits = one.toString(16);
    const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
    const signed = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(0x02, signed.length), signed]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

function hex(one: bigint): string {
  return one.toString(16).padStart(64, '0');
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
