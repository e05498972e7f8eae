import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { PostRequest, PostResult } from '../../../lambdas/request/answer.ts';
import type { AttemptFailureCode } from '../../../lambdas/request/failure.ts';
import { makePost, type Lookup } from '../../../lambdas/request/post.ts';
import { defaultTargetRules } from '../../../lambdas/endpoint/target.ts';
import {
  aClosedPort,
  aDeafPort,
  answering,
  aTcpReceiver,
  aTlsReceiver,
  scripts,
  type Receiver,
  type Script,
} from './bad-receivers.ts';
import { anAuthority, aSelfSigned, type Identity } from './certificates.ts';

const authority = await anAuthority();
const good = await authority.issue();
const localRules = { ...defaultTargetRules, loopback: true };
const localLookup: Lookup = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
const open: { close: () => Promise<void> }[] = [];

afterAll(async () => {
  await Promise.all(open.map((receiver) => receiver.close()));
});

interface Try extends Partial<PostRequest> {
  readonly port?: number;
  readonly lookup?: Lookup;
}

async function tryPost({ port = 443, lookup = localLookup, ...request }: Try): Promise<PostResult> {
  const post = makePost({ lookup, ca: [authority.certificate] });
  return await post({
    url: `https://receiver.localhost:${port}/hook?a=1`,
    headers: { 'content-type': 'application/json', 'webhook-id': 'evt_1' },
    body: new TextEncoder().encode('{"id":"evt_1"}'),
    timeoutMs: 3000,
    rules: localRules,
    ...request,
  });
}

async function aReceiver(script: Script, options: TlsOptions = {}): Promise<Receiver> {
  return await kept(aTlsReceiver(script, { ...identity(good), ...options }));
}

async function kept<Resource extends { close: () => Promise<void> }>(
  opening: Promise<Resource>,
): Promise<Resource> {
  const resource = await opening;
  open.push(resource);
  return resource;
}

function identity({ certificate, key }: Identity): TlsOptions {
  return { cert: certificate, key };
}

/** What a user sees of the outcome, in one word. */
function verdict({ answer }: PostResult): number | string {
  return answer.kind === 'response' ? answer.status : answer.code;
}

function phasesOf(result: PostResult): readonly string[] {
  return result.phases.map(({ name, ok }) => (ok ? name : `${name} failed`));
}

/** With a generous deadline where the receiver is to be quick, and a short one where it is to pass. */
const quickMs = 3000;
const shortMs = 400;

describe.concurrent('what a receiver does decides the verdict', () => {
  const cases: [keyof typeof scripts, number | AttemptFailureCode, number][] = [
    ['well', 200, quickMs],
    ['silent', 'timeout', shortMs],
    ['slowHeaders', 'timeout', shortMs],
    ['slowStatusLine', 'timeout', shortMs],
    ['drippingBody', 200, quickMs],
    ['endless102', 'timeout', shortMs],
    ['endless100', 'timeout', shortMs],
    ['unasked100', 200, quickMs],
    ['early102', 200, quickMs],
    ['early103', 200, quickMs],
    ['infiniteBody', 200, quickMs],
    ['infiniteErrorBody', 500, quickMs],
    ['hugeHeader', 'header_overflow', quickMs],
    ['manyHeaders', 'header_overflow', quickMs],
    ['gzipBomb', 200, quickMs],
    ['resetBeforeHeaders', 'connection_reset', quickMs],
    ['resetInsideHeaders', 'connection_reset', quickMs],
    ['resetInsideBody', 200, quickMs],
    ['closedBeforeHeaders', 'connection_closed', quickMs],
    ['closedInsideHeaders', 'connection_closed', quickMs],
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
    ['noContentWithBody', 'invalid_response', quickMs],
    ['noContentWithLength', 'invalid_response', quickMs],
    ['twoLengths', 'invalid_response', quickMs],
    ['lengthAndChunked', 'invalid_response', quickMs],
  ];

  test.each(cases)('%s: %s', async (name, expected, timeoutMs) => {
    const receiver = await aReceiver(scripts[name]);

    const result = await tryPost({ port: receiver.port, timeoutMs });

    expect(verdict(result)).toBe(expected);
    expect(result.durationMs).toBeLessThan(timeoutMs + 1000);
    expect(receiver.connections()).toBe(1);
    expect(JSON.stringify(result)).not.toContain('127.0.0.1');
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

  test('a dripping body costs a second and no more', async () => {
    const receiver = await aReceiver(scripts.drippingBody);

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
    const slow = { afterMs: name === 'well' ? quickMs : shortMs / 2, tell: () => (told += 1) };
    await tryPost({ port: receiver.port, timeoutMs: name === 'well' ? quickMs : shortMs, slow });
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

describe.concurrent('a certificate that is not right is refused before anything is sent', () => {
  const cases: [string, AttemptFailureCode, () => Promise<TlsOptions>][] = [
    ['self-signed', 'tls_untrusted', async () => identity(await aSelfSigned(['receiver.localhost']))],
    ['of another authority', 'tls_untrusted', async () => identity(await (await anAuthority()).issue())],
    [
      'expired',
      'tls_expired',
      async () => identity(await authority.issue({ validFromDays: -9, validToDays: -1 })),
    ],
    ['not yet valid', 'tls_expired', async () => identity(await authority.issue({ validFromDays: 1 }))],
    [
      'of another host',
      'tls_wrong_host',
      async () => identity(await authority.issue({ names: ['other.localhost'] })),
    ],
    [
      'with a common name only',
      'tls_no_san',
      async () => identity(await authority.issue({ names: [], commonName: 'receiver.localhost' })),
    ],
    [
      'with the name as common name and an address as alternative name',
      'tls_no_san',
      async () => identity(await authority.issue({ names: ['127.0.0.1'], commonName: 'receiver.localhost' })),
    ],
    [
      'with the name as common name and another as alternative name',
      'tls_wrong_host',
      async () =>
        identity(await authority.issue({ names: ['other.localhost'], commonName: 'receiver.localhost' })),
    ],
  ];

  test.each(cases)('%s: %s', async (_name, expected, makeOptions) => {
    const receiver = await aReceiver(scripts.well, await makeOptions());

    const result = await tryPost({ port: receiver.port });

    expect(verdict(result)).toBe(expected);
    expect(phasesOf(result)).toEqual(['lookup', 'address_check', 'connect', 'tls failed']);
    expect(receiver.received()).toBe('');
  });

  test('the diagnosis of an expired certificate shows its date', async () => {
    const receiver = await aReceiver(
      scripts.well,
      identity(await authority.issue({ validFromDays: -9, validToDays: -1 })),
    );

    const result = await tryPost({ port: receiver.port });

    const validTo = result.phases.flatMap((phase) =>
      phase.name === 'tls' ? [phase.certificate?.validTo] : [],
    );
    expect(new Date(validTo.at(0) ?? '').getTime()).toBeLessThan(Date.now());
  });

  test('an address in place of a name needs a certificate for the address', async () => {
    const named = await aReceiver(
      scripts.well,
      identity(await authority.issue({ names: ['receiver.localhost'] })),
    );
    const addressed = await aReceiver(
      scripts.well,
      identity(await authority.issue({ names: ['127.0.0.1'] })),
    );

    const refused = await tryPost({ url: `https://127.0.0.1:${named.port}/` });
    const accepted = await tryPost({ url: `https://127.0.0.1:${addressed.port}/` });

    expect([verdict(refused), verdict(accepted)]).toEqual(['tls_no_san', 200]);
    expect(phasesOf(accepted)).toEqual(['address_check', 'connect', 'tls', 'request', 'first_byte']);
  });

  test('neither the environment nor a flag turns the check off or sets a proxy', async () => {
    const proxy = await kept(aTcpReceiver());
    const receiver = await aReceiver(scripts.well, identity(await aSelfSigned(['receiver.localhost'])));
    const program = `
      import { makePost } from './lambdas/request/post.ts';
      const post = makePost({ lookup: async () => [{ address: '127.0.0.1', family: 4 }] });
      const rules = ${JSON.stringify(localRules)};
      const url = 'https://receiver.localhost:${receiver.port}/';
      console.log(JSON.stringify(await post({ url, headers: {}, body: new Uint8Array(2), timeoutMs: 5000, rules })));`;
    const at = `http://127.0.0.1:${proxy.port}`;

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: {
        NODE_USE_ENV_PROXY: '1',
        HTTPS_PROXY: at,
        HTTP_PROXY: at,
        ALL_PROXY: at,
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      },
    });

    expect(JSON.parse(stdout)).toMatchObject({ answer: { kind: 'failure', code: 'tls_untrusted' } });
    expect([proxy.connections(), receiver.connections()]).toEqual([0, 1]);
  });
});

describe.concurrent('a handshake that cannot succeed has a code of its own', () => {
  test.each(['TLSv1', 'TLSv1.1'] as const)('only %s: tls_version', async (version) => {
    const receiver = await aReceiver(scripts.well, {
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });

    expect(verdict(await tryPost({ port: receiver.port }))).toBe('tls_version');
  });

  test('TCP accepted and no TLS: timeout', async () => {
    const receiver = await kept(aTcpReceiver());

    const result = await tryPost({ port: receiver.port, timeoutMs: shortMs });

    expect(verdict(result)).toBe('timeout');
    expect(phasesOf(result).at(-1)).toBe('tls failed');
    expect(result.durationMs).toBeLessThan(shortMs + 1000);
  });

  test('TCP accepted and no TLS is given up after five seconds, however long the deadline', async () => {
    const receiver = await kept(aTcpReceiver());

    const result = await tryPost({ port: receiver.port, timeoutMs: 20_000 });

    expect(verdict(result)).toBe('timeout');
    expect(result.durationMs).toBeLessThan(6000);
  });

  test('a plain HTTP server: tls_failed', async () => {
    const receiver = await kept(
      aTcpReceiver((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'));
      }),
    );

    expect(verdict(await tryPost({ port: receiver.port }))).toBe('tls_failed');
  });

  test('closed in the handshake: connection_closed', async () => {
    const receiver = await kept(
      aTcpReceiver((socket) => {
        socket.once('data', () => socket.end());
      }),
    );

    expect(verdict(await tryPost({ port: receiver.port }))).toBe('connection_closed');
  });

  test('reset in the handshake: connection_reset', async () => {
    const receiver = await kept(
      aTcpReceiver((socket) => {
        socket.once('data', () => socket.resetAndDestroy());
      }),
    );

    expect(verdict(await tryPost({ port: receiver.port }))).toBe('connection_reset');
  });

  test('our own client certificate is unreadable: tls_failed', async () => {
    const receiver = await aReceiver(scripts.well);

    const result = await tryPost({ port: receiver.port, clientCertificate: { certificate: 'x', key: 'y' } });

    expect(verdict(result)).toBe('tls_failed');
  });
});

describe.concurrent.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a receiver that wants a client certificate, %s',
  (version) => {
    let strangers: Identity;
    let ours: Identity;
    beforeAll(async () => {
      ours = await authority.issue({ names: ['tidings.localhost'] });
      strangers = await (await anAuthority('Stranger')).issue();
    });
    const wanting: TlsOptions = {
      requestCert: true,
      rejectUnauthorized: true,
      ca: [authority.certificate],
      minVersion: version,
      maxVersion: version,
    };

    test('none given: tls_client_certificate_required', async () => {
      const receiver = await aReceiver(scripts.well, wanting);

      const result = await tryPost({ port: receiver.port });

      expect(verdict(result)).toBe('tls_client_certificate_required');
      const facts = { name: 'tls', version, clientCertificateRequested: true, clientCertificateGiven: false };
      expect(result.phases).toContainEqual(expect.objectContaining(facts));
      expect(receiver.received()).toBe('');
    });

    test('none given, and the receiver just hangs up: tls_client_certificate_required', async () => {
      const receiver = await aReceiver(
        ({ reset }) => {
          reset();
        },
        { ...wanting, rejectUnauthorized: false },
      );

      expect(verdict(await tryPost({ port: receiver.port }))).toBe('tls_client_certificate_required');
    });

    test('given right: delivered', async () => {
      const receiver = await aReceiver(scripts.well, wanting);

      const result = await tryPost({ port: receiver.port, clientCertificate: ours });

      expect(verdict(result)).toBe(200);
      const facts = { name: 'tls', ok: true, clientCertificateRequested: true, clientCertificateGiven: true };
      expect(result.phases).toContainEqual(expect.objectContaining(facts));
    });

    test('given wrong: a failure, and nothing arrives', async () => {
      const receiver = await aReceiver(scripts.well, wanting);

      const result = await tryPost({ port: receiver.port, clientCertificate: strangers });

      expect(result.answer.kind).toBe('failure');
      expect(receiver.received()).toBe('');
    });

    test('not wanted: the diagnosis says so', async () => {
      const receiver = await aReceiver(scripts.well, { minVersion: version, maxVersion: version });

      const result = await tryPost({ port: receiver.port });

      const facts = { name: 'tls', clientCertificateRequested: false, clientCertificateGiven: false };
      expect(result.phases).toContainEqual(expect.objectContaining(facts));
    });
  },
);

describe.concurrent('a connection that cannot be made', () => {
  test('a closed port: connection_refused', async () => {
    const result = await tryPost({ port: await aClosedPort() });

    expect(verdict(result)).toBe('connection_refused');
    expect(phasesOf(result)).toEqual(['lookup', 'address_check', 'connect failed']);
  });

  test('several addresses, all closed: connection_refused', async () => {
    const lookup: Lookup = () =>
      Promise.resolve([
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
        { address: '::1', family: 6 },
      ]);

    expect(verdict(await tryPost({ port: await aClosedPort(), lookup }))).toBe('connection_refused');
  });

  test('the second address works when the first does not', async () => {
    const receiver = await aReceiver(scripts.well);
    const lookup: Lookup = () =>
      Promise.resolve([
        { address: '127.0.0.77', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);

    expect(verdict(await tryPost({ port: receiver.port, lookup }))).toBe(200);
  });

  test('an IPv4-mapped answer is the IPv4 address it carries', async () => {
    const receiver = await aReceiver(scripts.well);
    const lookup: Lookup = () => Promise.resolve([{ address: '::ffff:127.0.0.1', family: 6 }]);

    expect(verdict(await tryPost({ port: receiver.port, lookup }))).toBe(200);
  });

  test('packets vanish: connection_timeout', async () => {
    const { port } = await kept(aDeafPort());

    const result = await tryPost({ port, timeoutMs: shortMs });

    expect(verdict(result)).toBe('connection_timeout');
    expect(result.durationMs).toBeLessThan(shortMs + 1000);
  });
});

describe.concurrent('a name that cannot be resolved', () => {
  const cases: [string, AttemptFailureCode, Lookup][] = [
    ['does not exist', 'dns_not_found', () => Promise.reject(dnsError('ENOTFOUND'))],
    ['has no address', 'dns_not_found', () => Promise.reject(dnsError('ENODATA'))],
    ['gives an empty answer', 'dns_not_found', () => Promise.resolve([])],
    ['has failing name servers', 'dns_failed', () => Promise.reject(dnsError('EAI_AGAIN'))],
    [
      'has failing name servers, as c-ares says it',
      'dns_failed',
      () => Promise.reject(dnsError('ESERVFAIL')),
    ],
    ['is not answered', 'dns_timeout', () => new Promise(() => undefined)],
    [
      'makes the resolver throw',
      'dns_failed',
      () => {
        throw new TypeError('Cannot read properties of undefined');
      },
    ],
    ['makes the resolver reject without a code', 'dns_failed', () => Promise.reject(new Error('10.0.0.7'))],
    ['makes the resolver answer nonsense', 'dns_failed', () => Promise.resolve(undefined as unknown as [])],
  ];

  test.each(cases)('%s: %s', async (_name, expected, lookup) => {
    const result = await tryPost({ lookup, timeoutMs: shortMs });

    expect(verdict(result)).toBe(expected);
    expect(phasesOf(result)).toEqual(['lookup failed']);
    expect(result.durationMs).toBeLessThan(shortMs + 1000);
  });

  test('a silent resolver is given up after three seconds, however long the deadline', async () => {
    const result = await tryPost({ lookup: () => new Promise(() => undefined), timeoutMs: 20_000 });

    expect(verdict(result)).toBe('dns_timeout');
    expect(result.durationMs).toBeLessThan(4000);
  });

  test('the resolver of this machine is asked when none is given, and its refusal is a failure', async () => {
    const post = makePost();

    const result = await post({
      url: 'https://no-such-name.example.invalid-tld-for-tests/',
      headers: {},
      body: new Uint8Array(2),
      timeoutMs: 2000,
      rules: defaultTargetRules,
    });

    expect(verdict(result)).toMatch(/^dns_/);
  });
});

function dnsError(code: string): Error {
  return Object.assign(new Error(`queryA ${code} 10.0.0.7`), { code, syscall: 'getaddrinfo', hostname: 'x' });
}

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

/** What must be refused before anything is connected to; the others of the file need a receiver or a second answer. */
const attacks = z
  .object({
    cases: z.array(
      z.object({
        id: z.string(),
        url: z.string(),
        why: z.string(),
        kind: z.string().optional(),
        policy: z.string().optional(),
        resolves_to: z.array(z.string()).optional(),
        expected: z.enum(['allow', 'reject']),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../data/ssrf-cases.json', import.meta.url), 'utf8')))
  .cases.filter(
    ({ kind, policy, expected }) => kind === undefined && policy === undefined && expected === 'reject',
  );

// Not concurrent: these count every connection that the process makes.
describe('a forbidden address is never connected to', () => {
  const publicAddress = { address: '3ffe::1', family: 6 }; // public by the rules, routed nowhere
  let connects = 0;
  const count = (): void => {
    connects += 1;
  };

  async function connectsDuring(
    act: () => Promise<PostResult>,
  ): Promise<{ result: PostResult; made: number }> {
    connects = 0;
    subscribe('net.client.socket', count);
    const result = await act();
    unsubscribe('net.client.socket', count);
    return { result, made: connects };
  }

  const forbidden = [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '::1',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    'x',
  ];
  const answers: [string, { address: string; family: number }[]][] = [
    ...forbidden.map((address): [string, { address: string; family: number }[]] => [
      address,
      [{ address, family: address.includes(':') ? 6 : 4 }],
    ]),
    ['a public one, then a forbidden one', [publicAddress, { address: '10.0.0.1', family: 4 }]],
    ['a forbidden one, then a public one', [{ address: '10.0.0.1', family: 4 }, publicAddress]],
  ];

  test.each(answers)('a name that resolves to %s', async (_name, addresses) => {
    const { result, made } = await connectsDuring(() =>
      tryPost({
        url: 'https://hooks.example.com/',
        rules: defaultTargetRules,
        lookup: () => Promise.resolve(addresses),
      }),
    );

    expect(verdict(result)).toBe('blocked_address');
    expect(phasesOf(result)).toEqual(['lookup', 'address_check failed']);
    expect(made).toBe(0);
    expect(JSON.stringify(result)).not.toContain('10.');
  });

  test.each(attacks)('$id, $why', async ({ url, resolves_to: answers = [] }) => {
    const addresses = answers.map((address) => ({ address, family: isIP(address) }));

    const { result, made } = await connectsDuring(() =>
      tryPost({ url, rules: defaultTargetRules, lookup: () => Promise.resolve(addresses) }),
    );

    expect(result.answer.kind).toBe('failure');
    expect(made).toBe(0);
  });

  test.each([
    'https://127.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://localhost/',
    'http://hooks.example.com/',
    'https://hooks.example.com:22/',
    'not a URL',
    '',
  ])('the URL %j', async (url) => {
    const lookup = vi.fn(localLookup);

    const { result, made } = await connectsDuring(() => tryPost({ url, rules: defaultTargetRules, lookup }));

    expect(verdict(result)).toBe('blocked_address');
    expect(made).toBe(0);
    expect(lookup).not.toHaveBeenCalled();
  });

  test('a name that is public when first asked, and inner when asked again, is asked once', async () => {
    const inner = await kept(aTcpReceiver());
    const lookup = vi.fn<Lookup>(localLookup).mockResolvedValueOnce([publicAddress]);

    const { result, made } = await connectsDuring(() =>
      tryPost({
        url: `https://hooks.example.com:${inner.port}/`,
        rules: { ...defaultTargetRules, ports: [inner.port] },
        lookup,
        timeoutMs: shortMs,
      }),
    );

    expect(result.answer.kind).toBe('failure');
    expect(made).toBe(1);
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(inner.connections()).toBe(0);
  });

  test('a socket that ended up elsewhere is destroyed before a byte is sent', async () => {
    const bytes: Buffer[] = [];
    const receiver = await kept(aTcpReceiver((socket) => socket.on('data', (chunk) => bytes.push(chunk))));
    const misdirect = (message: unknown): void => {
      const { socket } = message as { socket: Socket };
      Object.defineProperty(socket, 'remoteAddress', { value: '169.254.169.254' });
    };
    subscribe('net.client.socket', misdirect);

    const result = await tryPost({ port: receiver.port });
    unsubscribe('net.client.socket', misdirect);
    await vi.waitUntil(() => receiver.open() === 0);

    expect(verdict(result)).toBe('blocked_address');
    expect(phasesOf(result)).toEqual(['lookup', 'address_check', 'connect', 'address_check failed']);
    expect(bytes).toEqual([]);
  });
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
        'accept-encoding: identity',
        'content-length: 8',
        `Host: receiver.localhost:${receiver.port}`,
        'Connection: close',
      ].sort(),
    );
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
    expect(result.phases.every(({ ms }) => ms >= 0)).toBe(true);
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

  test('the caller can end an attempt, also before it has begun', async () => {
    const receiver = await aReceiver(scripts.silent);
    const early = await tryPost({ port: receiver.port, signal: AbortSignal.abort() });
    const late = await tryPost({ port: receiver.port, signal: AbortSignal.timeout(200), timeoutMs: 20_000 });

    expect([verdict(early), verdict(late)]).toEqual(['timeout', 'timeout']);
    expect(late.durationMs).toBeLessThan(1200);
    expect(receiver.connections()).toBeLessThanOrEqual(1);
  });

  test('a header that cannot be sent is a failure and no crash', async () => {
    const receiver = await aReceiver(scripts.well);

    const result = await tryPost({ port: receiver.port, headers: { 'x-a': 'b\r\nc: d' } });

    expect(result.answer.kind).toBe('failure');
    expect(receiver.received()).toBe('');
  });
});
