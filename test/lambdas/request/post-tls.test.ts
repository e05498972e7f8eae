import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { AttemptFailureCode, Failure } from '../../../lambdas/request/failure.ts';
import { aTcpReceiver, scripts, type Script } from './bad-receivers.ts';
import { anAuthority, aSelfSigned, type Identity, type Wish } from './certificates.ts';
import {
  aReceiver,
  authority,
  good,
  identity,
  kept,
  localRules,
  phasesOf,
  shortMs,
  toldOf,
  tryPost,
  verdict,
} from './a-post.ts';

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

  test('a good certificate under an intermediate that has expired: not the owner of the good one is told to renew it', async () => {
    const ended = await authority.intermediate({ validFromDays: -900, validToDays: -300 });
    const { certificate, key } = await ended.issue();
    const receiver = await aReceiver(scripts.well, { cert: `${certificate}\n${ended.certificate}`, key });

    const result = await tryPost({ port: receiver.port });

    expect(verdict(result)).toBe('tls_expired');
    expect(toldOf(result)).toMatchObject({
      message: expect.stringContaining('A certificate of the chain has expired') as string,
      advice: expect.stringContaining('Send the current intermediate') as string,
    });
  });

  const tooWeak = { code: 'tls_untrusted', cause: 'weak_key' } as const;
  // A receiver whose own OpenSSL does not mind.
  const weakly = (issued: Identity, requestCert = false): TlsOptions => ({
    ...identity(issued),
    requestCert,
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const causes: [string, Omit<Failure, 'limitMs'>, () => Promise<TlsOptions>][] = [
    ['expired', { code: 'tls_expired' }, async () => identity(await authority.issue({ validToDays: -0.1 }))],
    [
      'not yet valid',
      { code: 'tls_expired', cause: 'not_yet_valid' },
      async () => identity(await authority.issue({ validFromDays: 1 })),
    ],
    [
      'expired, as its intermediate has',
      { code: 'tls_expired' },
      async () => under({ validToDays: -0.2 }, { validToDays: -0.1 }),
    ],
    [
      'under a later intermediate',
      { code: 'tls_expired', cause: 'chain_not_yet_valid' },
      async () => under({ validFromDays: 1 }),
    ],
    [
      'self-signed',
      { code: 'tls_untrusted', cause: 'self_signed' },
      async () => identity(await aSelfSigned(['receiver.localhost'])),
    ],
    [
      'of an own authority, which is sent along',
      { code: 'tls_untrusted', cause: 'private_authority' },
      async () => {
        const own = await anAuthority('Own');
        const { certificate, key } = await own.issue();
        return { cert: `${certificate}\n${own.certificate}`, key };
      },
    ],
    [
      'without its intermediate',
      { code: 'tls_untrusted', cause: 'incomplete_chain' },
      async () => identity(await (await authority.intermediate()).issue()),
    ],
    [
      'for clients',
      { code: 'tls_untrusted', cause: 'wrong_purpose' },
      async () => identity(await authority.issue({ usages: ['1.3.6.1.5.5.7.3.2'] })),
    ],
    [
      'under an intermediate for other names',
      { code: 'tls_untrusted', cause: 'chain_breaks_rules' },
      async () => ({ ...(await under({ permittedName: 'other.localhost' })), requestCert: true }),
    ],
    ['of an RSA key of 1,024 bits', tooWeak, async () => weakly(await authority.issue({ rsaBits: 1_024 }))],
    ['signed with SHA-1', tooWeak, async () => weakly(await authority.issue({ hash: 'SHA-1' }))],
    [
      'under an intermediate that is signed with SHA-1',
      tooWeak,
      async () => ({ ...(await under({ hash: 'SHA-1' })), requestCert: true }),
    ],
    [
      'weak, of a receiver that asks for one',
      tooWeak,
      async () => weakly(await authority.issue({ rsaBits: 1_024 }), true),
    ],
  ];

  test.each(causes)('one that is %s: %j', async (_name, expected, makeOptions) => {
    const receiver = await aReceiver(scripts.well, await makeOptions());

    const { answer } = await tryPost({ port: receiver.port });

    expect(answer).toEqual({ kind: 'failure', ...expected });
  });

  async function under(ofIntermediate: Wish, ofLeaf: Wish = {}): Promise<TlsOptions> {
    const intermediate = await authority.intermediate(ofIntermediate);
    const { certificate, key } = await intermediate.issue(ofLeaf);
    return { cert: `${certificate}\n${intermediate.certificate}`, key };
  }

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
    expect(toldOf(result)).toMatchObject({
      message: 'The connection was made, but the receiver did not finish the TLS handshake within 5 s.',
      advice: expect.stringContaining('timeoutSeconds does not help') as string,
    });
  });

  test('a plain HTTP server: tls_failed', async () => {
    const receiver = await kept(
      aTcpReceiver((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'));
      }),
    );

    const result = await tryPost({ port: receiver.port });

    expect(result.answer).toEqual({ kind: 'failure', code: 'tls_failed', cause: 'not_tls' });
  });

  test('a server that knows no such host name: tls_failed', async () => {
    const receiver = await aReceiver(scripts.well, {
      SNICallback: (_name, callback) => {
        callback(new Error('unknown'));
      },
    });

    expect(verdict(await tryPost({ port: receiver.port }))).toMatch(/^(?:tls_failed|connection_)/);
  });

  test('no cipher in common: tls_failed', async () => {
    const receiver = await aReceiver(scripts.well, {
      maxVersion: 'TLSv1.2',
      ciphers: 'NULL-SHA256:@SECLEVEL=0',
    });

    const result = await tryPost({ port: receiver.port });

    expect(result.answer).toEqual({ kind: 'failure', code: 'tls_failed', cause: 'no_common_cipher' });
  });

  test('a server that speaks HTTP/2 only: the sentence says so, and what to offer', async () => {
    const server = createSecureServer({ ...identity(good), allowHTTP1: false }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await kept(
      Promise.resolve({
        close: () =>
          new Promise<void>((done) =>
            server.close(() => {
              done();
            }),
          ),
      }),
    );

    const result = await tryPost({ port });

    expect(result.answer).toEqual({ kind: 'failure', code: 'tls_failed', cause: 'no_http_1' });
    expect(toldOf(result)?.message).toContain('HTTP/2 only');
    expect(toldOf(result)?.advice).toContain('offer HTTP/1.1');
  });

  test('closed in the handshake: connection_closed', async () => {
    const receiver = await kept(
      aTcpReceiver((socket) => {
        socket.once('data', () => socket.end());
      }),
    );

    const { answer } = await tryPost({ port: receiver.port });

    expect(answer).toEqual({ kind: 'failure', code: 'connection_closed', cause: 'broken_in_handshake' });
  });

  test('reset in the handshake: connection_reset', async () => {
    const receiver = await kept(
      aTcpReceiver((socket) => {
        socket.once('data', () => socket.resetAndDestroy());
      }),
    );

    const { answer } = await tryPost({ port: receiver.port });

    expect(answer).toEqual({ kind: 'failure', code: 'connection_reset', cause: 'broken_in_handshake' });
  });

  test('our own client certificate is unreadable: tls_failed', async () => {
    const receiver = await aReceiver(scripts.well);

    const result = await tryPost({ port: receiver.port, clientCertificate: { certificate: 'x', key: 'y' } });

    expect(result.answer).toMatchObject({ code: 'tls_failed', cause: 'client_certificate_unreadable' });
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

    const optional: TlsOptions = { ...wanting, rejectUnauthorized: false };

    test.each<[string, Script]>([
      [
        'reads it and breaks off',
        ({ reset }) => {
          reset();
        },
      ],
      [
        'works on it and closes',
        ({ end, after }) => {
          after(700, end);
        },
      ],
    ])(
      'none given to a receiver that could do without, and %s: told both that may be',
      async (_name, script) => {
        const receiver = await aReceiver(script, optional);

        const told = toldOf(await tryPost({ port: receiver.port }));

        expect(told?.message).toMatch(/asked for a client certificate, got none, and hung up before it sent/);
        expect(told?.advice).toMatch(/if the server requires one; .* broken off/);
      },
    );

    test.each<[string, boolean, Script]>([
      [
        'half a status line',
        false,
        ({ write, after, end }) => {
          write('HTTP/1.1 2');
          after(30, end);
        },
      ],
      [
        'a status 102',
        false,
        ({ write, after, end }) => {
          write('HTTP/1.1 102 Wait\r\n\r\n');
          after(30, end);
        },
      ],
      [
        'half a status line',
        true,
        ({ write, after, end }) => {
          write('HTTP/1.1 2');
          after(30, end);
        },
      ],
    ])(
      'broken off behind %s, certificate given %s: not about certificates',
      async (_name, isGiven, script) => {
        const receiver = await aReceiver(script, optional);

        const { answer } = await tryPost({
          port: receiver.port,
          ...(isGiven ? { clientCertificate: ours } : {}),
        });

        expect(answer).toEqual({ kind: 'failure', code: 'connection_closed' });
      },
    );

    test('given, accepted, and the handler dies: not told that the certificate is at fault', async () => {
      const receiver = await aReceiver(({ after, reset }) => {
        after(700, reset);
      }, wanting);

      const result = await tryPost({ port: receiver.port, clientCertificate: ours });

      expect(verdict(result)).toBe('connection_reset');
      expect(toldOf(result)?.message).toMatch(/got the one of this endpoint, and hung up before it sent/);
      expect(toldOf(result)?.advice).toMatch(/does not trust .*, or .* broken off/);
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

      expect(result.answer).toMatchObject({ kind: 'failure', cause: 'hung_up_with_certificate' });
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
