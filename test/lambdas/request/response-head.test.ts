import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeChunks } from '../../../lambdas/request/chunks.ts';
import { AttemptFailure } from '../../../lambdas/request/failure.ts';
import { makeHeadReader } from '../../../lambdas/request/response-head.ts';

/** What receivers write, and what they should not. */
const fragment = fc.oneof(
  fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.0 503',
    'HTTP/1.1 102 Wait',
    'HTTP/1.1 101 Go',
    'HTTP/2 200',
    'HTT',
  ),
  fc.constantFrom('\r\n', '\n', '\r\n\r\n', '\n\n', '\r', ' ', '\t', ':', '\u0000', 'é'),
  fc.constantFrom('retry-after: 5', 'Retry-After:', ' 7', 'x-a: b', 'nonsense', 'content-length: 2'),
);
const response = fc.array(fragment, { maxLength: 20 }).map((parts) => Buffer.from(parts.join(''), 'latin1'));

/** All that can be told of a response that came in these pieces, and then broke off. */
function readIn(pieces: readonly Buffer[]): unknown {
  const reader = makeHeadReader();
  for (const [index, piece] of pieces.entries()) {
    let read: ReturnType<typeof reader.take>;
    try {
      read = reader.take(piece);
    } catch (error) {
      return error instanceof AttemptFailure ? error.failure : error;
    }
    if (read === undefined) continue;
    return { ...read, rest: Buffer.concat([read.rest, ...pieces.slice(index + 1)]).toString('latin1') };
  }
  return { begun: reader.begun(), informational: reader.informational() };
}

const cutUp = (bytes: Buffer) => Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1));

describe('the head of a response', () => {
  test('is the same, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(response, fc.nat(), (bytes, at) => {
        const cut = bytes.length === 0 ? 0 : at % bytes.length;
        const whole = readIn([bytes]);
        expect(readIn([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
        expect(readIn(cutUp(bytes))).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });

  test('has a status of 200 to 599, or is a failure with a code, whatever bytes come', () => {
    const bytes = fc.oneof(
      response,
      fc.uint8Array().map((given) => Buffer.from(given)),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        const reader = makeHeadReader();
        try {
          reader.take(given);
        } catch (error) {
          expect(error).toBeInstanceOf(AttemptFailure);
        }
        const { status = 200 } = reader.begun() ?? {};
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThanOrEqual(599);
      }),
    );
  });

  test('is cut off at 16 kB, in one piece as in many', () => {
    const head = (length: number) => Buffer.from(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(length)}\r\n\r\n`);
    const room = 16_384 - head(0).length;
    for (const pieces of [(bytes: Buffer) => [bytes], cutUp]) {
      expect(readIn(pieces(head(room)))).toMatchObject({ head: { status: 200 } });
      expect(readIn(pieces(head(room + 1)))).toEqual({ code: 'header_overflow' });
    }
  });
});

describe('a chunked body', () => {
  test('is its content, in whatever pieces it comes', () => {
    const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 });
    fc.assert(
      fc.property(contents, (given) => {
        const chunks = given.flatMap((one) => [
          Buffer.from(`${one.length.toString(16)}\r\n`),
          one,
          Buffer.from('\r\n'),
        ]);
        const bytes = Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
        for (const pieces of [[bytes], cutUp(bytes)]) {
          const reader = makeChunks();
          const read = pieces.map((piece) => reader.take(piece));
          expect(Buffer.concat(read.flatMap(({ content }) => [...content]))).toEqual(Buffer.concat(given));
          expect(read.some(({ isLast }) => isLast)).toBe(true);
        }
      }),
    );
  });
});
