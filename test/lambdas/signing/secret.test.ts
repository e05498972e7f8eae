import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { keyOf, newSecret, ownSecret } from '../../../lambdas/signing/secret.ts';

const key = fc.uint8Array({ minLength: 24, maxLength: 64 });

describe('secrets', () => {
  it('are whsec_ and standard base64, from which the same key comes back', () => {
    fc.assert(
      fc.property(key, (bytes) => {
        const secret = newSecret(() => bytes);
        expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+={0,2}$/);
        expect(Buffer.from(keyOf(secret)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('of a user are described as they are taken', () => {
    const { pattern } = z
      .object({ pattern: z.string() })
      .parse(z.toJSONSchema(ownSecret, { io: 'input', unrepresentable: 'any' }));
    const changed = fc.tuple(fc.uint8Array({ minLength: 20, maxLength: 68 }), fc.nat(120), fc.base64String());
    fc.assert(
      fc.property(changed, ([bytes, at, more]) => {
        const secret = newSecret(() => bytes);
        const mended = `${secret.slice(0, at)}${more.slice(0, 4)}${secret.slice(at)}`;
        for (const text of [secret, secret.replace('whsec_', ''), mended]) {
          expect(new RegExp(pattern).test(text)).toBe(ownSecret.safeParse(text).success);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('of 32 bytes have 50 characters', () => {
    expect(newSecret(() => new Uint8Array(32).fill(255))).toBe(`whsec_${'/'.repeat(42)}8=`);
  });

  it('are read without their prefix, too, as receivers store them', () => {
    fc.assert(
      fc.property(key, (bytes) => {
        const secret = newSecret(() => bytes);
        expect(keyOf(secret.replace('whsec_', ''))).toEqual(keyOf(secret));
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['only the prefix', 'whsec_'],
    ['23 bytes', newSecret(() => new Uint8Array(23))],
    ['65 bytes', newSecret(() => new Uint8Array(65))],
    ['another prefix', newSecret(() => new Uint8Array(32)).replace('whsec_', 'whsk_')],
    ['the prefix in capitals', newSecret(() => new Uint8Array(32)).replace('whsec_', 'WHSEC_')],
    ['the alphabet of URLs', newSecret(() => new Uint8Array(32).fill(255)).replaceAll('/', '_')],
    ['no padding', newSecret(() => new Uint8Array(32)).replace('=', '')],
    ['a line break', `${newSecret(() => new Uint8Array(32))}\n`],
    ['a space in it', newSecret(() => new Uint8Array(32)).replace('AA', 'A A')],
  ])('%s is no secret', (_what, text) => {
    expect(() => keyOf(text)).toThrow('a secret is whsec_ and 24 to 64 bytes in base64');
  });

  it('are never quoted by the error', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^whsec_[\w-]{12,40}$/), (text) => {
        try {
          keyOf(text);
        } catch (fault) {
          expect(String(fault)).not.toContain(text.slice(6));
        }
      }),
    );
  });
});
