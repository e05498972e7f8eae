import { expect, test } from 'vitest';
import { makeChunks } from '../../../lambdas/request/chunks.ts';

/** Content of a body that comes in pieces, and whether it has ended. */
function read(...pieces: string[]): [string, boolean] {
  const chunks = makeChunks();
  const taken = pieces.map((piece) => chunks.take(Buffer.from(piece)));
  const content = taken.flatMap((one) => one.content.map((bytes) => Buffer.from(bytes).toString()));
  return [content.join(''), taken.some(({ isLast }) => isLast)];
}

test('chunks are read to their end, however they are cut', () => {
  const body = '2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n';
  for (let at = 0; at <= body.length; at += 1)
    expect(read(body.slice(0, at), body.slice(at))).toEqual(['hello', true]);
  expect(read(...(body.match(/[^]/g) ?? []))).toEqual(['hello', true]);
});

test.each([
  ['before the first chunk', '\n', ''],
  ['behind a chunk, more than one', '2\nok\n\n', 'ok'],
])('a blank line %s ends it: a flood of them took all of a processor for a second', (_, body, content) => {
  expect(read(body)).toEqual([content, true]);
});
