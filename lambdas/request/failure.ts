import type { PhaseName, TlsFacts } from './phases.ts';

/** What can go wrong before there is a status to judge. Stored and shown: a code never changes its meaning. */
export type AttemptFailureCode =
  | 'dns_not_found'
  | 'dns_failed'
  | 'dns_timeout'
  | 'blocked_address'
  | 'connection_refused'
  | 'connection_timeout'
  | 'connection_reset'
  | 'connection_closed'
  | 'tls_expired'
  | 'tls_wrong_host'
  | 'tls_untrusted'
  | 'tls_version'
  | 'tls_no_san'
  | 'tls_client_certificate_required'
  | 'tls_failed'
  | 'timeout'
  | 'invalid_response'
  | 'header_overflow';

export type FailureCode = AttemptFailureCode | 'redirect' | `http_${number}`;

/** Thrown inside an attempt when the code is already known. */
export class AttemptFailure extends Error {
  readonly failure: AttemptFailureCode;

  constructor(failure: AttemptFailureCode) {
    super(failure);
    this.name = 'AttemptFailure';
    this.failure = failure;
  }
}

/** A limit of the attempt has passed; which one is told by the phase. */
export class AttemptExpired extends Error {
  override readonly name = 'AttemptExpired';
}

/**
 * The code for whatever ended an attempt: an error of Node, a limit, or something thrown at us. It reads only
 * `code`, `syscall` and the phase, never a message, because messages carry addresses. Never throws.
 *
 * Limits are named by phase, so that the code says what to look at: `dns_timeout` while resolving,
 * `connection_timeout` before TCP is there, `timeout` from the TLS handshake on.
 *
 * A receiver that asked for a client certificate, got none, and hangs up is taken to want one: in TLS 1.3 its
 * refusal arrives after the handshake, often as a bare reset.
 */
export function failureOf(error: unknown, phase: PhaseName, facts?: TlsFacts): AttemptFailureCode {
  if (error instanceof AttemptExpired) return expired[phase];
  const failure = phase === 'lookup' ? failureOfLookup(error) : failureOfConnection(error, phase);
  return wantsCertificate(facts) && refusals.has(failure) ? 'tls_client_certificate_required' : failure;
}

/** The code for a final status outside 2xx. */
export function failureOfStatus(status: number): FailureCode {
  return redirects.has(status) ? 'redirect' : `http_${status}`;
}

const redirects = new Set([301, 302, 303, 307, 308]);

const expired: Readonly<Record<PhaseName, AttemptFailureCode>> = {
  lookup: 'dns_timeout',
  address_check: 'dns_timeout',
  connect: 'connection_timeout',
  tls: 'timeout',
  request: 'timeout',
  first_byte: 'timeout',
};

/** For errors nobody foresaw: a code that is true of the phase. */
const unforeseen: Readonly<Record<PhaseName, AttemptFailureCode>> = {
  lookup: 'dns_failed',
  address_check: 'blocked_address',
  connect: 'connection_refused',
  tls: 'tls_failed',
  request: 'connection_closed',
  first_byte: 'connection_closed',
};

/** What a receiver's "no certificate, no service" looks like from here. */
const refusals: ReadonlySet<AttemptFailureCode> = new Set([
  'connection_reset',
  'connection_closed',
  'tls_failed',
]);

function wantsCertificate(facts: TlsFacts | undefined): boolean {
  return facts?.clientCertificateRequested === true && !facts.clientCertificateGiven;
}

function failureOfLookup(error: unknown): AttemptFailureCode {
  if (error instanceof AttemptFailure) return error.failure;
  const [code = ''] = codesOf(error);
  if (/^(?:ENOTFOUND|ENODATA|EAI_NONAME|EAI_NODATA)$/.test(code)) return 'dns_not_found';
  return /^(?:ETIMEOUT|ETIMEDOUT)$/.test(code) ? 'dns_timeout' : 'dns_failed';
}

function failureOfConnection(error: unknown, phase: PhaseName): AttemptFailureCode {
  if (error instanceof AttemptFailure) return error.failure;
  const codes = codesOf(error);
  if (codes.includes('ETIMEDOUT') && !codes.includes('ECONNREFUSED')) return expired[phase];
  // Node gives its own "socket hang up", an orderly end, the code of a reset, but no system call.
  if (codes.includes('ECONNRESET')) return hasSyscall(error) ? 'connection_reset' : 'connection_closed';
  return codeRules.find(([pattern]) => codes.some((code) => pattern.test(code)))?.[1] ?? unforeseen[phase];
}

/** The first match wins, so the particular stands before the general. */
const codeRules: readonly (readonly [RegExp, AttemptFailureCode])[] = [
  [/^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EACCES|EPERM)$/, 'connection_refused'],
  [/^ECONNABORTED$/, 'connection_reset'],
  [/^(?:EPIPE|HPE_INVALID_EOF_STATE)$/, 'connection_closed'],
  [/^HPE_HEADER_OVERFLOW$/, 'header_overflow'],
  [/^HPE_/, 'invalid_response'],
  [/^(?:CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/, 'tls_expired'],
  [/^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, 'tls_wrong_host'],
  [/CERTIFICATE_REQUIRED$/, 'tls_client_certificate_required'],
  [/ALERT_PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$/, 'tls_version'],
  [/^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_|ERR_CRYPTO_|EPROTO)/, 'tls_failed'],
  // OpenSSL's verification results; the others of the family have their own lines above.
  [
    /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|CRL_|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_)/,
    'tls_untrusted',
  ],
  [/^(?:ERROR_IN_CERT_|CA_(?:KEY|MD)_TOO_|EE_KEY_TOO_|(?:ISSUER|AKID)_)/, 'tls_untrusted'],
];

/** A name with several addresses fails with one error per address, in an AggregateError. */
function codesOf(error: unknown): readonly string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(codesOf);
  if (typeof error !== 'object' || error === null || !('code' in error)) return [];
  return typeof error.code === 'string' ? [error.code] : [];
}

function hasSyscall(error: unknown): boolean {
  if (error instanceof AggregateError) return true;
  return typeof error === 'object' && error !== null && 'syscall' in error && error.syscall !== undefined;
}
