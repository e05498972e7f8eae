import { expect, test } from 'vitest';
import { makeResponse } from '../../../lambdas/request/response.ts';

test.each([
  [204, 'content-length: 2'],
  [204, 'transfer-encoding: chunked'],
  [204, 'x-neither: of them'],
  [304, 'content-length: 2'],
  [304, 'transfer-encoding: chunked'],
  [304, 'x-neither: of them'],
])(
  'a response of status %i is complete with its head, whatever that says, so that nobody waits for more: %s',
  (status, line) => {
    const response = makeResponse();
    expect(response.take(Buffer.from(`HTTP/1.1 ${String(status)} So\r\n${line}\r\n\r\n`))).toBe(true);
    expect(response.head()?.status).toBe(status);
    response.take(Buffer.from('2\r\nok\r\n'));
    expect(Buffer.from(response.body()).toString()).toBe('');
  },
);

test('of any other status it is complete with its body', () => {
  const response = makeResponse();
  expect(response.take(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no'))).toBe(false);
  expect(response.take(Buffer.from('k'))).toBe(true);
  expect(Buffer.from(response.body()).toString()).toBe('ok');
});
