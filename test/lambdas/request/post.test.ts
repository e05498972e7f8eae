import { describe, expect, test } from 'vitest';
import type { AttemptFailureCode } from '../../../lambdas/request/failure.ts';
import { answering, aTcpReceiver, scripts } from './bad-receivers.ts';
import { aReceiver, kept, phasesOf, quickMs, shortMs, toldOf, tryPost, verdict } from './a-post.ts';

describe.concurrent('what a receiver does decides the verdict', () => {
  const cases: [keyof typeof scripts, number | AttemptFailureCode, number][] = [
    ['well', 200, quickMs],
    ['silent', 'timeout', shortMs],
    ['slowHeaders', 200, quickMs],
    ['slowErrorHeaders', 'timeout', shortMs],
    ['slowStatusLine', 'timeout', shortMs],
    ['drippingBody', 200, quickMs],
    ['endless102', 'timeout', shortMs],
    ['endless100', 'timeout', shortMs],
    ['unasked100', 200, quickMs],
    ['early102', 200, quickMs],
    ['early103', 200, quickMs],
    ['infiniteBody', 200, quickMs],
    ['infiniteErrorBody', 500, quickMs],
    ['hugeHeader', 200, quickMs],
    ['hugeErrorHeader', 'header_overflow', quickMs],
    ['endlessHeaders', 200, quickMs],
    ['manyHeaders', 200, quickMs],
    ['gzipBomb', 200, quickMs],
    ['resetBeforeHeaders', 'connection_reset', quickMs],
    ['resetInsideHeaders', 200, quickMs],
    ['resetInsideBody', 200, quickMs],
    ['closedBeforeHeaders', 'connection_closed', quickMs],
    ['closedInsideHeaders', 200, quickMs],
    ['closedInsideBody', 200, quickMs],
    ['brokenChunk', 200, quickMs],
    ['garbage', 'invalid_response', quickMs],
    ['http09', 'invalid_response', quickMs],
    ['http2', 'invalid_response', quickMs],
    ['status099', 'invalid_response', quickMs],
    ['status999', 'invalid_response', quickMs],
    ['status600', 'invalid_response', quickMs],
    ['switching', 'invalid_response', quickMs],
    ['switchingUnnamed', 'invalid_response', quickMs],
    ['noContent', 204, quickMs],
    ['noContentWithBody', 204, quickMs],
    ['noContentWithLength', 204, quickMs],
    ['twoLengths', 200, quickMs],
    ['lengthAndChunked', 200, quickMs],
    ['noContentChunked', 204, quickMs],
    ['noContentWithLengthOnly', 204, quickMs],
    ['noContentKeptOpen', 204, quickMs],
    ['negativeLength', 200, quickMs],
    ['strangeCoding', 200, quickMs],
    ['closedBehindStatusLine', 200, quickMs],
    ['resetBehindStatusLine', 202, quickMs],
    ['resetBehindError', 503, quickMs],
    ['closedInsideStatusLine', 'connection_closed', quickMs],
    ['closedBehind100', 'connection_closed', quickMs],
    ['closedInside102', 'connection_closed', quickMs],
    ['lineFeedsOnly', 200, quickMs],
    ['noReason', 200, quickMs],
    ['noReasonButBlank', 200, quickMs],
    ['reasonInLatin1', 200, quickMs],
    ['twoBlanks', 200, quickMs],
    ['http10', 200, quickMs],
    ['http12', 200, quickMs],
    ['blankLineFirst', 200, quickMs],
    ['foldedHeader', 200, quickMs],
    ['blankBeforeColon', 200, quickMs],
    ['blankBeforeFirstHeader', 200, quickMs],
    ['lineThatIsNoHeader', 200, quickMs],
    ['strangeHeaderBytes', 200, quickMs],
    ['byteByByte', 200, quickMs],
    ['http2Frames', 'invalid_response', quickMs],
    ['mailServer', 'invalid_response', quickMs],
    ['longStatus', 'invalid_response', quickMs],
    ['wordInsteadOfStatus', 'invalid_response', quickMs],
  ];

  test.each(cases)('%s: %s', async (name, expected, timeoutMs) => {
    const receiver = await aReceiver(scripts[name]);

    const result = await tryPost({ port: receiver.port, timeoutMs });

    expect(verdict(result)).toBe(expected);
    expect(result.durationMs).toBeLessThan(timeoutMs + 1000);
    expect(receiver.connections()).toBe(1);
    expect(JSON.stringify(result)).not.toContain('127.0.0.1');
  });

  test.each([
    ['http2Frames', 'does not begin like an HTTP/1.1 response'],
    ['status999', 'a status that HTTP does not have'],
    ['switching', 'another protocol (status 101)'],
    ['hugeErrorHeader', 'larger than 16 kB'],
    ['closedBeforeHeaders', 'before it sent a status line'],
  ] as const)('%s is told as what it is: %s', async (name, expected) => {
    const receiver = await aReceiver(scripts[name]);

    expect(toldOf(await tryPost({ port: receiver.port }))?.message).toContain(expected);
  });

  test('a flood of informational responses is not read on until the deadline', async () => {
    const receiver = await aReceiver(scripts.endless102);

    const result = await tryPost({ port: receiver.port, timeoutMs: 1500 });

    expect(verdict(result)).toBe('timeout');
    // What the socket buffers on both sides hold; at full speed it would be some hundred megabytes.
    expect(receiver.bytesSent()).toBeLessThan(20_000_000);
  });

  test('an infinite body is read no further than its limit', async () => {
    const receiver = await aReceiver(scripts.infiniteBody);

    const result = await tryPost({ port: receiver.port, keepResponseBytes: 1_000_000 });

    expect(result.answer).toMatchObject({ status: 200, body: 'x'.repeat(16_384) });
    expect(receiver.bytesSent()).toBeLessThan(20_000_000);
  });

  test('endless headers behind a 200 are read no further than their limit', async () => {
    const receiver = await aReceiver(scripts.endlessHeaders);

    const result = await tryPost({ port: receiver.port, keepResponseBytes: 100 });

    expect(result.answer).toEqual({ kind: 'response', status: 200, body: '' });
    expect(receiver.bytesSent()).toBeLessThan(20_000_000);
  });

  test('headers behind a 200 that come a little later still say where the body ends', async () => {
    const receiver = await aReceiver(({ write, after, end }) => {
      write('HTTP/1.1 200 OK\r\n');
      after(50, () => {
        end('content-length: 5\r\n\r\nhelloxxx');
      });
    });

    const result = await tryPost({ port: receiver.port, keepResponseBytes: 100 });

    expect(result.answer).toEqual({ kind: 'response', status: 200, body: 'hello' });
  });

  test.each(['drippingBody', 'slowHeaders'] as const)('%s costs a second and no more', async (name) => {
    const receiver = await aReceiver(scripts[name]);

    const result = await tryPost({ port: receiver.port, timeoutMs: 20_000 });

    expect(verdict(result)).toBe(200);
    expect(result.durationMs).toBeLessThan(2000);
  });
});

describe.concurrent('a sender that wants to know what takes long', () => {
  test.each([
    ['well', 0],
    ['silent', 1],
  ] as const)('from a receiver that is %s is told %i times', async (name, times) => {
    const receiver = await aReceiver(scripts[name]);
    let told = 0;
    const waits = [
      { afterMs: name === 'well' ? quickMs : shortMs / 2, tell: () => (told += 1) },
      { afterMs: quickMs, tell: () => (told += 1) },
    ];
    await tryPost({ port: receiver.port, timeoutMs: name === 'well' ? quickMs : shortMs, waits });
    await new Promise((resolve) => setTimeout(resolve, shortMs));
    expect(told).toBe(times);
  });
});

describe.concurrent('a redirect is a response and is not followed', () => {
  test.each([301, 302, 303, 307, 308])('%i', async (status) => {
    const inner = await kept(aTcpReceiver());
    const places = [
      'https://169.254.169.254/',
      `http://127.0.0.1:${inner.port}/`,
      `https://127.0.0.1:${inner.port}/`,
    ];
    for (const place of places) {
      const receiver = await aReceiver(answering(status, `location: ${place}\r\n`));
      expect(verdict(await tryPost({ port: receiver.port }))).toBe(status);
      expect(receiver.connections()).toBe(1);
    }
    expect(inner.connections()).toBe(0);
  });
});

// Not concurrent: it looks at the memory of the whole process, the receivers' included.
test('twenty floods at the same time stay within 64 MB', async () => {
  const names = ['infiniteBody', 'gzipBomb', 'hugeHeader', 'manyHeaders', 'endless102'] as const;
  const receivers = await Promise.all(names.map((name) => aReceiver(scripts[name])));
  const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  await Promise.all(receivers.map(({ port }) => tryPost({ port, timeoutMs: 500 }))); // what is loaded once
  const before = used();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, used());
  }, 5);

  const attempts = receivers.flatMap(({ port }) => [port, port, port, port]);
  await Promise.all(attempts.map((port) => tryPost({ port, timeoutMs: 500 })));
  clearInterval(sampling);

  expect(most - before).toBeLessThan(64_000_000);
});

describe.concurrent('what is sent and what is kept', () => {
  test('the bytes go out as given, once, with the length and on a connection of their own', async () => {
    const receiver = await aReceiver(scripts.well);

    const result = await tryPost({
      port: receiver.port,
      body: new TextEncoder().encode('{"ü":1}'),
      headers: {
        'Webhook-Id': 'evt_1',
        Host: 'evil.example',
        'Content-Length': '1',
        'transfer-encoding': 'chunked',
        expect: '100-continue',
      },
    });

    expect(verdict(result)).toBe(200);
    const [head = '', body] = receiver.received().split('\r\n\r\n');
    expect(Buffer.from(body ?? '', 'latin1').toString()).toBe('{"ü":1}');
    expect(head.split('\r\n').sort()).toEqual(
      [
        'POST /hook?a=1 HTTP/1.1',
        'Webhook-Id: evt_1',
        'accept: */*',
        'accept-encoding: identity',
        'content-length: 8',
        `Host: receiver.localhost:${receiver.port}`,
        'Connection: close',
      ].sort(),
    );
  });

  test.each([
    [{}, ['accept: */*']],
    [{ Accept: 'application/json' }, ['Accept: application/json']],
  ])(
    'with the headers %j any answer is accepted, or what the endpoint says: %j',
    async (headers, expected) => {
      const receiver = await aReceiver(scripts.well);

      await tryPost({ port: receiver.port, headers });

      const lines = receiver.received().split('\r\n');
      expect(lines.filter((line) => /^accept:/i.test(line))).toEqual(expected);
    },
  );

  test.each([
    [`/h?sig='x'&e=%2F+%22%zz`, `/h?sig='x'&e=%2F+%22%zz`],
    ['/a/../b/./c', '/a/../b/./c'],
    ['/?', '/?'],
    ['', '/'],
    ['?a=1', '/?a=1'],
  ])('the URL %j goes out as it is shown: %s', async (written, expected) => {
    const receiver = await aReceiver(scripts.well);

    await tryPost({ url: `https://receiver.localhost:${receiver.port}${written}` });

    expect(receiver.received().split('\r\n', 1)).toEqual([`POST ${expected} HTTP/1.1`]);
  });

  test('a name that is given twice goes out once', async () => {
    const receiver = await aReceiver(scripts.well);

    await tryPost({ port: receiver.port, headers: { 'Webhook-Id': 'evt_2', 'webhook-id': 'evt_1' } });

    expect(receiver.received().match(/^webhook-id: .*$/gim)).toEqual(['webhook-id: evt_1']);
  });

  test('two attempts at the same time use two connections', async () => {
    const receiver = await aReceiver(scripts.well);

    await Promise.all([tryPost({ port: receiver.port }), tryPost({ port: receiver.port })]);

    expect(receiver.connections()).toBe(2);
  });

  test('the phases of a delivery are complete and tell the certificate', async () => {
    const receiver = await aReceiver(scripts.well);

    const result = await tryPost({ port: receiver.port });

    expect(phasesOf(result)).toEqual(['lookup', 'address_check', 'connect', 'tls', 'request', 'first_byte']);
    expect(result.phases.at(3)).toMatchObject({
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      certificate: { subject: 'CN=receiver', issuer: 'CN=Test authority' },
    });
    // Six of them: `every` would hold for none, too.
    expect(result.phases.map(({ ms }) => ms >= 0)).toEqual(Array.from({ length: 6 }, () => true));
  });

  test('the body is kept only when asked for, cut, and safe to show', async () => {
    const receiver = await aReceiver(({ end }) => {
      end('HTTP/1.1 500 Oh\r\nretry-after: 120\r\ncontent-length: 14\r\n\r\na\tb\n\u0000c\u001b[1m\u007fdef');
    });

    const kept = await tryPost({ port: receiver.port, keepResponseBytes: 12 });
    const unkept = await tryPost({ port: receiver.port });

    expect(kept.answer).toEqual({ kind: 'response', status: 500, retryAfter: '120', body: 'a\tb\nc[1md' });
    expect(unkept.answer).toEqual({ kind: 'response', status: 500, retryAfter: '120' });
  });

  test.each([
    ['by its length', 'content-length: 5\r\n\r\nhelloxxxxx'],
    ['by chunks', 'transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\nxxxxx'],
    [
      'by chunks, which count more than a length',
      'content-length: 99\r\ntransfer-encoding: gzip, chunked\r\n\r\n5\nhello\n0\n\n',
    ],
    ['by a chunk that is none', 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nxxx'],
    ['by the connection', '\r\nhello'],
    [
      'by the connection, when lengths contradict each other',
      'content-length: 2\r\ncontent-length: 3\r\n\r\nhello',
    ],
    ['by its length, said twice', 'content-length: 5, 5\r\n\r\nhelloxxxxx'],
  ])('a body that ends %s is kept to its end', async (_name, rest) => {
    const receiver = await aReceiver(({ end }) => {
      end(`HTTP/1.1 200 OK\r\n${rest}`);
    });

    const result = await tryPost({ port: receiver.port, keepResponseBytes: 100 });

    expect(result.answer).toMatchObject({ status: 200, body: 'hello' });
  });

  test('what is known of the headers counts, folded, behind one that is none, or broken off', async () => {
    const folded = await aReceiver(({ end }) => {
      end('HTTP/1.1 503 Busy\nnonsense\nRETRY-AFTER :\n 120\nretry-after: 5\n');
    });

    const result = await tryPost({ port: folded.port });

    expect(result.answer).toEqual({ kind: 'response', status: 503, retryAfter: '120' });
  });

  test('a body that is not UTF-8 is shown with replacements', async () => {
    const receiver = await aReceiver(({ write, end }) => {
      write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n');
      write(Uint8Array.from([0x61, 0xff, 0x62]));
      end();
    });

    const result = await tryPost({ port: receiver.port, keepResponseBytes: 100 });

    expect(result.answer).toMatchObject({ body: 'a\ufffdb' });
  });

  test('a gzip body is not inflated', async () => {
    const receiver = await aReceiver(scripts.gzipBomb);

    const result = await tryPost({ port: receiver.port, keepResponseBytes: 16_384 });

    const body = result.answer.kind === 'response' ? (result.answer.body ?? '') : '';
    expect(body.length).toBeLessThanOrEqual(16_384);
  });

  test('an answer that comes before the request has been read decides', async () => {
    const receiver = await aReceiver(({ socket, write }) => {
      socket.pause();
      write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
    });

    const result = await tryPost({ port: receiver.port, body: new Uint8Array(20_000_000) });

    expect(verdict(result)).toBe(413);
  });

  test('a receiver that does not read the request is told so, and not that it is slow to answer', async () => {
    const receiver = await aReceiver(({ socket }) => {
      socket.pause();
    });

    const result = await tryPost({
      port: receiver.port,
      body: new Uint8Array(20_000_000),
      timeoutMs: shortMs,
    });

    expect(result.answer).toEqual({
      kind: 'failure',
      code: 'timeout',
      cause: 'request_unread',
      limitMs: shortMs,
    });
    expect(toldOf(result)?.message).toBe('The receiver did not read the whole request within 0.4 s.');
  });

  test('the caller can end an attempt, also before it has begun', async () => {
    const receiver = await aReceiver(scripts.silent);
    const early = await tryPost({ port: receiver.port, signal: AbortSignal.abort() });
    const late = await tryPost({ port: receiver.port, signal: AbortSignal.timeout(200), timeoutMs: 20_000 });

    expect([verdict(early), verdict(late)]).toEqual(['timeout', 'timeout']);
    expect(late.answer).toMatchObject({ cause: 'ended_early' });
    expect(late.durationMs).toBeLessThan(1200);
    expect(receiver.connections()).toBeLessThanOrEqual(1);
  });

  test.each([
    { 'x-a': 'b\r\nc: d' },
    { 'x-a': 'b\nc: d' },
    { 'x-a': 'b\u0000' },
    { 'x-a': 'b\u010a' },
    { 'x-a\r\nc': 'd' },
    { 'x a': 'b' },
    { 'x-a:': 'b' },
    { '': 'b' },
  ])(
    'a header that cannot be sent is a failure and no crash: %j',
    async (headers: Record<string, string>) => {
      const receiver = await aReceiver(scripts.well);

      const result = await tryPost({ port: receiver.port, headers });

      expect(result.answer.kind).toBe('failure');
      expect(receiver.received()).toBe('');
    },
  );
});
