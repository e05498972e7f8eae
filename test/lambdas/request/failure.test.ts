import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { causes } from '../../../lambdas/request/cause-text.ts';
import { describeFailure, texts } from '../../../lambdas/request/failure-text.ts';
import {
  AttemptExpired,
  AttemptFailure,
  failureOf,
  failureOfStatus,
  type AttemptFailureCode,
  type Failure,
  type FailureCode,
} from '../../../lambdas/request/failure.ts';
import type { PhaseName, Seen, TlsFacts } from '../../../lambdas/request/phases.ts';

const phases: readonly PhaseName[] = ['lookup', 'address_check', 'connect', 'tls', 'request', 'first_byte'];

function anError(code: string, more: object = {}): Error {
  return Object.assign(new Error(`${code} 10.1.2.3:443`), { code, ...more });
}

const codeOf = (...given: Parameters<typeof failureOf>) => failureOf(...given).code;

/** What had been seen of a receiver that asked for a client certificate, and got none. */
function seenOf(tls: Partial<TlsFacts> = {}, more: Partial<Seen> = {}): Seen {
  const facts = { version: 'TLSv1.3', clientCertificateRequested: true, clientCertificateGiven: false };
  return { tls: { ...facts, ...tls }, sinceRequestMs: 40, hasAnswerBegun: false, ...more };
}

describe('an error of Node becomes a code', () => {
  const cases: [string, PhaseName, AttemptFailureCode][] = [
    ['ENOTFOUND', 'lookup', 'dns_not_found'],
    ['EAI_AGAIN', 'lookup', 'dns_failed'],
    ['ETIMEOUT', 'lookup', 'dns_timeout'],
    ['ECONNREFUSED', 'connect', 'connection_refused'],
    ['EHOSTUNREACH', 'connect', 'connection_refused'],
    ['ENETUNREACH', 'connect', 'connection_refused'],
    ['ETIMEDOUT', 'connect', 'connection_timeout'],
    ['ETIMEDOUT', 'first_byte', 'timeout'],
    ['EPIPE', 'request', 'connection_closed'],
    ['CERT_HAS_EXPIRED', 'tls', 'tls_expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'tls_wrong_host'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls', 'tls_untrusted'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls', 'tls_untrusted'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls', 'tls_untrusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', 'tls_untrusted'],
    ['CERT_REVOKED', 'tls', 'tls_untrusted'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls', 'tls_version'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls', 'tls_version'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', 'tls_failed'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'first_byte', 'tls_client_certificate_required'],
    ['EPROTO', 'tls', 'tls_failed'],
  ];

  test.each(cases)('%s while in %s: %s', (code, phase, expected) => {
    expect(codeOf(anError(code), phase)).toBe(expected);
  });

  const causedBy: [string, PhaseName, Failure][] = [
    ['EHOSTUNREACH', 'connect', { code: 'connection_refused', cause: 'unreachable' }],
    ['EPIPE', 'tls', { code: 'connection_closed', cause: 'broken_in_handshake' }],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', { code: 'tls_failed', cause: 'not_tls' }],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'tls', { code: 'tls_failed', cause: 'no_common_cipher' }],
    ['ERR_SSL_DH_KEY_TOO_SMALL', 'tls', { code: 'tls_failed', cause: 'no_common_cipher' }],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'tls', { code: 'tls_failed', cause: 'unknown_name' }],
    ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'tls', { code: 'tls_failed', cause: 'no_http_1' }],
    [
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'first_byte',
      { code: 'tls_failed', cause: 'client_certificate_refused' },
    ],
    ['ERR_OSSL_PEM_NO_START_LINE', 'tls', { code: 'tls_failed', cause: 'client_certificate_unreadable' }],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', { code: 'tls_untrusted', cause: 'incomplete_chain' }],
    ['EE_KEY_TOO_SMALL', 'tls', { code: 'tls_untrusted', cause: 'weak_key' }],
    ['CA_MD_TOO_WEAK', 'tls', { code: 'tls_untrusted', cause: 'weak_key' }],
    ['CERT_REVOKED', 'tls', { code: 'tls_untrusted' }],
    ['ETIMEDOUT', 'tls', { code: 'timeout', cause: 'handshake_unfinished' }],
  ];

  test.each(causedBy)('%s while in %s: %j', (code, phase, expected) => {
    expect(failureOf(anError(code), phase)).toEqual(expected);
  });

  test('a reset has a system call, a hang-up has none', () => {
    expect(codeOf(anError('ECONNRESET', { syscall: 'read' }), 'first_byte')).toBe('connection_reset');
    expect(codeOf(anError('ECONNRESET'), 'first_byte')).toBe('connection_closed');
  });

  test('of several addresses, one that refused says more than one that was silent', () => {
    const error = new AggregateError([anError('ETIMEDOUT'), anError('ECONNREFUSED'), anError('ENETUNREACH')]);

    expect(codeOf(error, 'connect')).toBe('connection_refused');
  });

  test('of several addresses, one that was silent says more than one that cannot be reached from here', () => {
    const error = new AggregateError([anError('ENETUNREACH'), anError('ETIMEDOUT')]);

    expect(codeOf(error, 'connect')).toBe('connection_timeout');
  });

  test('a limit is named by its phase', () => {
    const codes = phases.map((phase) => codeOf(new AttemptExpired(5000), phase));

    expect(codes).toEqual([
      'dns_timeout',
      'dns_timeout',
      'connection_timeout',
      'timeout',
      'timeout',
      'timeout',
    ]);
  });

  const [none, given] = [{}, { clientCertificateGiven: true }];
  const old = { version: 'TLSv1.2' };
  const [without, with_] = ['hung_up_without_certificate', 'hung_up_with_certificate'] as const;
  const hangUps: [string, Seen, Failure][] = [
    ['got none', seenOf(none), { code: 'tls_client_certificate_required', cause: without }],
    ['got ours', seenOf(given), { code: 'connection_closed', cause: with_ }],
    [
      'got none, and worked on the request first',
      seenOf(none, { sinceRequestMs: 3000 }),
      { code: 'connection_closed', cause: without },
    ],
    [
      'got none in TLS 1.2, where a handshake that ended well was its consent',
      seenOf(old),
      { code: 'connection_closed', cause: without },
    ],
    [
      'got none in TLS 1.2, and broke off the handshake',
      seenOf(old, { sinceRequestMs: undefined }),
      { code: 'tls_client_certificate_required', cause: without },
    ],
    [
      'got none, and had begun to answer',
      seenOf(none, { hasAnswerBegun: true }),
      { code: 'connection_closed' },
    ],
    [
      'got ours, and had begun to answer',
      seenOf(given, { hasAnswerBegun: true }),
      { code: 'connection_closed' },
    ],
  ];

  test.each(hangUps)('a hang-up by a receiver that asked for a certificate, %s', (_name, seen, expected) => {
    const phase = seen.sinceRequestMs === undefined ? 'tls' : 'first_byte';
    expect(failureOf(anError('ECONNRESET'), phase, seen)).toEqual(expected);
  });

  const alerts: [string, Failure, Failure][] = [
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      { code: 'tls_client_certificate_required' },
      { code: 'tls_client_certificate_required' },
    ],
    [
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      { code: 'tls_client_certificate_required' },
      { code: 'tls_failed', cause: 'client_certificate_refused' },
    ],
    [
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      { code: 'tls_client_certificate_required' },
      { code: 'tls_failed', cause: 'client_certificate_refused' },
    ],
    ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', { code: 'tls_failed' }, { code: 'tls_failed' }],
  ];

  test.each(alerts)('an alert says what it says: %s', (code, unmet, met) => {
    expect(failureOf(anError(code), 'first_byte', seenOf(none))).toEqual(unmet);
    expect(failureOf(anError(code), 'first_byte', seenOf(given))).toEqual(met);
  });

  test('what ends an attempt for a reason of its own is not about the certificate that was asked for', () => {
    expect(codeOf(new AttemptExpired(5000), 'first_byte', seenOf())).toBe('timeout');
    expect(codeOf(new AttemptFailure('invalid_response'), 'first_byte', seenOf())).toBe('invalid_response');
    expect(failureOf(anError('UNSPECIFIED'), 'tls', seenOf())).toEqual({
      code: 'tls_untrusted',
      cause: 'chain_breaks_rules',
    });
  });

  test('anything at all that is thrown becomes a code, and nothing of it is shown', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...phases), (thrown, phase) => {
        const { code, ...facts } = failureOf(thrown, phase);

        expect(describeFailure(code, facts).message).not.toContain('http_');
      }),
    );
  });
});

describe('a code becomes a sentence and an advice', () => {
  const codes: readonly FailureCode[] = [
    ...([300, 301, 304, 400, 401, 404, 410, 429, 500, 503, 599].map(failureOfStatus) satisfies FailureCode[]),
    ...phases.map((phase) => codeOf(undefined, phase)),
    'timeout',
    'tls_no_san',
  ];

  test('every code without a status stands in docs/codes.md, and no other', () => {
    const page = readFileSync(new URL('../../../docs/codes.md', import.meta.url), 'utf8');
    const [, section = ''] = /## Why an attempt failed([^]*?)\n## /.exec(page) ?? [];
    const listed = new Set(
      [...section.matchAll(/`([a-z]+_[a-z_]+|timeout|redirect)`/g)].map(([, code]) => code),
    );
    for (const name of ['address_check', 'first_byte']) listed.delete(name); // phases
    expect(listed).toEqual(new Set(Object.keys(texts)));
  });

  test('a limit that passed is named', () => {
    const { code, ...facts } = failureOf(new AttemptExpired(1500), 'lookup');

    expect(describeFailure(code, facts).message).toBe('The host name was not resolved within 1.5 s.');
    expect(describeFailure(code).message).toBe('The host name was not resolved in time.');
  });

  test.each(Object.entries(causes))('the cause %s has a sentence and an advice, too', (_cause, text) => {
    expect(text.message).toMatch(/^[A-Z].*\.$/);
    expect(text.advice).toMatch(/^[A-Z].*\.$/);
  });

  test.each(codes)('%s', (code) => {
    const { message, advice } = describeFailure(code);

    expect(message).toMatch(/^[A-Z].*\.$/);
    expect(advice).toMatch(/^[A-Z].*\.$/);
  });

  test('redirects have one code, and 304 is none', () => {
    expect([301, 302, 303, 307, 308].map(failureOfStatus)).toEqual(Array(5).fill('redirect'));
    expect(failureOfStatus(304)).toBe('http_304');
  });
});
