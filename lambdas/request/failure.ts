import type { PhaseName, Seen, TlsFacts } from './phases.ts';

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

/**
 * What tells apart the causes that share a code, for the sentence and the advice. A code is what programs go by; a
 * cause is for people, and there may be more of them one day.
 */
export type FailureCause =
  | 'forbidden_url'
  | 'unreachable'
  | 'broken_in_handshake'
  | 'handshake_unfinished'
  | 'request_unread'
  | 'ended_early'
  | 'not_yet_valid'
  | 'chain_expired'
  | 'chain_not_yet_valid'
  | 'self_signed'
  | 'private_authority'
  | 'incomplete_chain'
  | 'weak_key'
  | 'wrong_purpose'
  | 'chain_breaks_rules'
  | 'not_tls'
  | 'no_common_cipher'
  | 'unknown_name'
  | 'no_http_1'
  | 'client_certificate_refused'
  | 'hung_up_without_certificate'
  | 'hung_up_with_certificate'
  | 'client_certificate_unreadable'
  | 'not_http'
  | 'unknown_status'
  | 'switching_protocols';

export interface Failure {
  readonly code: AttemptFailureCode;
  /** Absent when the code says it all. */
  readonly cause?: FailureCause;
  /** The limit that passed, where one did. */
  readonly limitMs?: number;
}

/** Thrown inside an attempt when the code is already known. */
export class AttemptFailure extends Error {
  readonly failure: Failure;

  constructor(code: AttemptFailureCode, cause?: FailureCause) {
    super(code);
    this.name = 'AttemptFailure';
    this.failure = cause === undefined ? { code } : { code, cause };
  }
}

/** A limit of the attempt has passed; for what, is told by the phase. */
export class AttemptExpired extends Error {
  readonly limitMs: number;

  constructor(limitMs: number) {
    super();
    this.name = 'AttemptExpired';
    this.limitMs = limitMs;
  }
}

/**
 * The code for whatever ended an attempt, and its cause: an error of Node, a limit, or something thrown at us. It reads
 * only `code`, `syscall`, the phase and what the handshake showed, never a message, because messages carry addresses;
 * but for three of OpenSSL's, which are constants (see `nameless`). Never throws.
 *
 * Limits are named by phase, so that the code says what to look at: `dns_timeout` while resolving,
 * `connection_timeout` before TCP is there, `timeout` from the TLS handshake on.
 *
 * A receiver that asked for a client certificate and hangs up without a word may have refused us, or may have crashed:
 * it looks the same, so the sentence names both. Which of them gives the code is told by the time: see `isLikeRefusal`.
 */
export function failureOf(error: unknown, phase: PhaseName, seen?: Seen): Failure {
  if (error instanceof AttemptExpired) return { ...expired[phase], limitMs: error.limitMs };
  const failure = phase === 'lookup' ? failureOfLookup(error) : failureOfConnection(error, phase, seen?.tls);
  if (seen?.tls?.clientCertificateRequested === true) return aboutCertificate(failure, phase, seen);
  const isInHandshake = phase === 'tls' && failure.cause === undefined && breaks.has(failure.code);
  return isInHandshake ? { ...failure, cause: 'broken_in_handshake' } : failure;
}

/** The same failure, seen at a receiver that asked for a client certificate. */
function aboutCertificate(failure: Failure, phase: PhaseName, seen: Seen): Failure {
  const isGiven = seen.tls?.clientCertificateGiven === true;
  if (failure.code === 'tls_failed' && alertCauses.has(failure.cause)) {
    return isGiven
      ? { code: 'tls_failed', cause: 'client_certificate_refused' }
      : { code: 'tls_client_certificate_required' };
  }
  if (!breaks.has(failure.code) || seen.hasAnswerBegun) return failure;
  if (isGiven) return { code: failure.code, cause: 'hung_up_with_certificate' };
  const code = isLikeRefusal(phase, seen) ? 'tls_client_certificate_required' : failure.code;
  return { code, cause: 'hung_up_without_certificate' };
}

/**
 * In TLS 1.2 a receiver refuses before the handshake ends. In TLS 1.3 it gets to know our certificate together with
 * the request, and refuses at once: later than a round trip it is at work on the request.
 */
function isLikeRefusal(phase: PhaseName, { tls, sinceRequestMs = 0 }: Seen): boolean {
  return phase === 'tls' || (tls?.version === 'TLSv1.3' && sinceRequestMs <= refusalMsMax);
}

/** A round trip across the world, and what a busy server takes to look at a certificate. */
const refusalMsMax = 500;

/** Whether a final status says that the request was taken (RFC 9110, section 15.3). */
export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** The code for a final status outside 2xx. */
export function failureOfStatus(status: number): FailureCode {
  return redirects.has(status) ? 'redirect' : `http_${status}`;
}

const redirects = new Set([301, 302, 303, 307, 308]);

const expired: Readonly<Record<PhaseName, Failure>> = {
  lookup: { code: 'dns_timeout' },
  address_check: { code: 'dns_timeout' },
  connect: { code: 'connection_timeout' },
  tls: { code: 'timeout', cause: 'handshake_unfinished' },
  request: { code: 'timeout', cause: 'request_unread' },
  first_byte: { code: 'timeout' },
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

/**
 * What a receiver says by an alert when it wants a certificate, or another one. When it asks for one, a cipher has been
 * agreed on: `handshake_failure` can only be about the certificate, and that is how OpenSSL says it in TLS 1.2.
 */
const alertCauses: ReadonlySet<FailureCause | undefined> = new Set([
  'client_certificate_refused',
  'no_common_cipher',
]);

/** Broken off without a word. In the handshake the request was not sent: no handler of it is to blame. */
const breaks: ReadonlySet<AttemptFailureCode> = new Set(['connection_reset', 'connection_closed']);

function failureOfLookup(error: unknown): Failure {
  if (error instanceof AttemptFailure) return error.failure;
  const [code = ''] = codesOf(error);
  if (/^(?:ENOTFOUND|ENODATA|EAI_NONAME|EAI_NODATA)$/.test(code)) return { code: 'dns_not_found' };
  return { code: /^(?:ETIMEOUT|ETIMEDOUT)$/.test(code) ? 'dns_timeout' : 'dns_failed' };
}

function failureOfConnection(error: unknown, phase: PhaseName, facts: TlsFacts | undefined): Failure {
  if (error instanceof AttemptFailure) return error.failure;
  const codes = codesOf(error);
  if (codes.includes('ETIMEDOUT') && !codes.includes('ECONNREFUSED')) return expired[phase];
  // Node gives its own "socket hang up", an orderly end, the code of a reset, but no system call.
  if (codes.includes('ECONNRESET') && !hasSyscall(error)) return { code: 'connection_closed' };
  const [, code = unforeseen[phase], cause] =
    failureRules.find(([pattern]) => codes.some((one) => pattern.test(one))) ?? [];
  const isOfChain = facts?.certificate?.isOutOfDate === false;
  if (code === 'tls_expired') return { code, ...datesOf(codes, isOfChain) };
  return cause === undefined ? { code } : { code, cause };
}

/** OpenSSL says that a certificate has ended, and not which one: if the receiver's own is good, it is another. */
function datesOf(codes: readonly string[], isOfChain: boolean): Pick<Failure, 'cause'> {
  if (codes.includes('CERT_NOT_YET_VALID')) {
    return { cause: isOfChain ? 'chain_not_yet_valid' : 'not_yet_valid' };
  }
  return isOfChain ? { cause: 'chain_expired' } : {};
}

type FailureRule = readonly [RegExp, AttemptFailureCode, FailureCause?];

/** The first match wins, so the particular stands before the general. */
const failureRules: readonly FailureRule[] = [
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EACCES|EPERM)$/, 'connection_refused', 'unreachable'],
  [/^(?:ECONNRESET|ECONNABORTED)$/, 'connection_reset'],
  [/^EPIPE$/, 'connection_closed'],
  [/^(?:CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/, 'tls_expired'],
  [/^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, 'tls_wrong_host'],
  [/CERTIFICATE_REQUIRED$/, 'tls_client_certificate_required'],
  [/ALERT_PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$/, 'tls_version'],
  [
    /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/,
    'tls_failed',
    'client_certificate_refused',
  ],
  [/NO_APPLICATION_PROTOCOL$/, 'tls_failed', 'no_http_1'],
  [/ALERT_UNRECOGNIZED_NAME$|UNRECOGNIZED_NAME$/, 'tls_failed', 'unknown_name'],
  [
    /ALERT_HANDSHAKE_FAILURE$|ALERT_INSUFFICIENT_SECURITY$|DH_KEY_TOO_SMALL$/,
    'tls_failed',
    'no_common_cipher',
  ],
  [
    /(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE)$/,
    'tls_failed',
    'not_tls',
  ],
  [/^(?:ERR_OSSL_|ERR_CRYPTO_)/, 'tls_failed', 'client_certificate_unreadable'],
  [/^(?:ERR_SSL_|ERR_TLS_|EPROTO)/, 'tls_failed'],
  // OpenSSL's verification results; the others of the family have their own lines above.
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, 'tls_untrusted', 'self_signed'],
  [/^SELF_SIGNED_CERT_IN_CHAIN$/, 'tls_untrusted', 'private_authority'],
  [/^UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/, 'tls_untrusted', 'incomplete_chain'],
  [/^(?:CA|EE)_(?:KEY|MD)_TOO_/, 'tls_untrusted', 'weak_key'],
  [/^INVALID_PURPOSE$/, 'tls_untrusted', 'wrong_purpose'],
  [/^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|CRL_|INVALID_CA|PATH_LENGTH_)/, 'tls_untrusted'],
  [/^(?:ERROR_IN_CERT_|(?:ISSUER|AKID)_)/, 'tls_untrusted'],
  // Node has no name for the younger results of OpenSSL, which are about names and numbers that a chain may have.
  [/^UNSPECIFIED$|_VIOLATION$/, 'tls_untrusted', 'chain_breaks_rules'],
];

/** A name with several addresses fails with one error per address, in an AggregateError. */
function codesOf(error: unknown): readonly string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(codesOf);
  if (typeof error !== 'object' || error === null || !('code' in error)) return [];
  if (typeof error.code !== 'string') return [];
  const name =
    error.code === 'UNSPECIFIED' && error instanceof Error ? nameless.get(error.message) : undefined;
  return [name ?? error.code];
}

/**
 * Verification results that Node has no name for and gives as `UNSPECIFIED`, told apart by OpenSSL's text alone
 * (X509_verify_cert_error_string); a test with a real receiver sees it when that changes.
 */
const nameless: ReadonlyMap<string, string> = new Map([
  ['EE certificate key too weak', 'EE_KEY_TOO_SMALL'],
  ['CA certificate key too weak', 'CA_KEY_TOO_SMALL'],
  ['CA signature digest algorithm too weak', 'CA_MD_TOO_WEAK'],
]);

function hasSyscall(error: unknown): boolean {
  if (error instanceof AggregateError) return true;
  return typeof error === 'object' && error !== null && 'syscall' in error && error.syscall !== undefined;
}
