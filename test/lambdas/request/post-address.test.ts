import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { PostResult } from '../../../lambdas/request/answer.ts';
import type { AttemptFailureCode } from '../../../lambdas/request/failure.ts';
import { makePost, type Lookup } from '../../../lambdas/request/post.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import { aClosedPort, aDeafPort, aTcpReceiver, scripts } from './bad-receivers.ts';
import { aReceiver, kept, localLookup, phasesOf, shortMs, toldOf, tryPost, verdict } from './a-post.ts';

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
    expect(toldOf(result)?.message).toBe('No connection to the receiver could be made within 0.4 s.');
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
    expect(toldOf(result)?.message).toBe('The host name was not resolved within 3 s.');
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

    expect(result.answer).toEqual({ kind: 'failure', code: 'blocked_address', cause: 'forbidden_url' });
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
