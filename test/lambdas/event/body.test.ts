import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detailBytesMax, packBody, storedBody, unpackBody } from '../../../lambdas/event/body.ts';
import type { StoredBody } from '../../../lambdas/event/body.ts';

const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 4_096 }),
  fc.json().map((text) => Buffer.from(text)),
  // Compressible ones, up to more than what an event may have.
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 8_000 }))
    .map(([text, times]) => Buffer.from(text.repeat(times))),
);

describe('packBody and unpackBody', () => {
  it('give back the very bytes that were packed', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        expect(Buffer.from(unpackBody(packed(body))).equals(body)).toBe(true);
      }),
    );
  });

  it('never store more bytes than came', () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        expect(packed(body).bytes.length).toBeLessThanOrEqual(body.length);
      }),
    );
  });

  it('a JSON body is stored compressed, a tiny one as it is', () => {
    expect(packed(Buffer.from(JSON.stringify(Array(500).fill({ runId: 77 })))).codec).toBe('br');
    expect(packed(Buffer.from('{}')).codec).toBe('none');
  });

  it('the largest event that may be published is packed, when it compresses like JSON', () => {
    const data = randomBytes(detailBytesMax / 2).toString('hex');
    expect(unpackBody(packed(Buffer.from(data))).length).toBe(detailBytesMax);
  });

  it('what does not fit into an item is refused, never cut', () => {
    expect(packBody(randomBytes(330_000))).toBeDefined();
    expect(packBody(randomBytes(330_001))).toBeUndefined();
  });

  // A refused event of up to 1 MB is "kept as it came, if it fits: the producer will ask what it was".
  it.each([524_288, 524_289, 1_000_000])(
    '%d bytes of one letter are refused or can be read back',
    (length) => {
      const body = Buffer.alloc(length, 'a');
      const stored = packBody(body);
      expect(stored === undefined || unpackBody(stored).length === length).toBe(true);
    },
  );

  it('the shape of what is stored survives its schema', () => {
    const stored = packed(Buffer.from('{"a":1}'));
    expect(storedBody.parse(stored)).toEqual(stored);
    expect(storedBody.safeParse({ ...stored, bytes: 'text' }).success).toBe(false);
    expect(storedBody.safeParse({ ...stored, codec: 'gzip' }).success).toBe(false);
  });
});

describe('a body that is not what was stored', () => {
  const stored = packed(Buffer.from(JSON.stringify(Array(50).fill({ runId: 77 }))));

  it('is never given back, whatever bit has changed', () => {
    fc.assert(
      fc.property(anyBody, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, place, bits) => {
        fc.pre(body.length > 0);
        const one = packed(body);
        const at = place % one.bytes.length;
        const bytes = Uint8Array.from(one.bytes).with(at, (one.bytes[at] ?? 0) ^ bits);
        expect(outcomeOf({ ...one, bytes }, body)).not.toBe('another body');
      }),
    );
  });

  it.each<[string, Partial<StoredBody>]>([
    ['cut short', { bytes: stored.bytes.subarray(0, -5) }],
    ['empty', { bytes: new Uint8Array() }],
    ['said not to be compressed', { codec: 'none' }],
    ['another event’s', { bytes: packed(Buffer.from(JSON.stringify(Array(50).fill({ runId: 78 })))).bytes }],
    ['of another digest', { sha256: '0'.repeat(64) }],
  ])('is an error when it is %s', (_what, change) => {
    expect(() => unpackBody({ ...stored, ...change })).toThrow();
  });

  it('that inflates without end stops at its limit, before it fills the memory', () => {
    const bomb = brotliCompressSync(Buffer.alloc(16 * 1_048_576));
    expect(bomb.length).toBeLessThan(1_000);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => unpackBody({ ...stored, bytes: bomb })).toThrow(RangeError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1_048_576);
  });

  it('is not quoted by the error', () => {
    const planted = Buffer.from('planted payload');
    expect(() => unpackBody({ codec: 'none', bytes: planted, length: 15, sha256: '' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('planted') as unknown }) as Error,
    );
  });
});

function packed(body: Uint8Array): StoredBody {
  const stored = packBody(body);
  if (stored === undefined) throw new Error('this body should have fitted');
  return stored;
}

/** A changed bit may lie where it changes nothing (brotli's padding); what counts is what comes out. */
function outcomeOf(stored: StoredBody, body: Uint8Array): 'error' | 'the body' | 'another body' {
  try {
    return Buffer.from(unpackBody(stored)).equals(body) ? 'the body' : 'another body';
  } catch {
    return 'error';
  }
}
