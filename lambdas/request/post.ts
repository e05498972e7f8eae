import { lookup as lookupAddresses } from 'node:dns/promises';
import { connect as connectTcp, isIPv6, type LookupFunction, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { isPublicAddress, normalizeAddress } from '../endpoint/address.ts';
import { parseTarget, type Target } from '../endpoint/target.ts';
import type { Answer, Post, PostRequest } from './answer.ts';
import { describeCertificate, hasNameFor } from './certificate.ts';
import { makeDeadline, type Deadline } from './deadline.ts';
import { exchange } from './exchange.ts';
import { AttemptFailure, failureOf } from './failure.ts';
import { requestHead } from './headers.ts';
import { connectMsMax, lookupMsMax } from './limits.ts';
import { recordPhases, roundedMs, type PhaseRecord } from './phases.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name, in order of preference. */
export type Lookup = (host: string) => Promise<readonly Address[]>;

export interface Network {
  readonly lookup?: Lookup;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
  /** PEM certificates trusted in place of Node's own; for tests. */
  readonly ca?: readonly string[];
}

/**
 * The one way out: every request to a receiver, a delivery or a test event, is made here (docs/security.md).
 *
 * A name is resolved once; every address is checked; the socket connects to nothing else, and is asked
 * afterwards where it went. Each attempt has a socket of its own, made here and not by an Agent, so nothing is
 * pooled and no proxy setting of the environment applies. Redirects are responses like others. Every way out
 * of an attempt destroys its sockets and clears its timers.
 */
export function makePost(network: Network = {}): Post {
  const { now = () => performance.now(), ...given } = network;
  return async function post(request) {
    const startedAt = now();
    const phases = recordPhases(now);
    const deadline = makeDeadline(request.timeoutMs, request.signal);
    const waits = request.waits?.map(({ afterMs, tell }) => setTimeout(tell, afterMs)) ?? [];
    const attempt: Attempt = {
      network: { lookup: lookupAll, ...given },
      request,
      phases,
      deadline,
      sockets: [],
    };
    let answer: Answer;
    try {
      answer = await perform(attempt);
    } catch (error) {
      phases.close(false);
      answer = { kind: 'failure', ...failureOf(error, phases.current(), phases.seen()) };
    } finally {
      deadline.clear();
      waits.forEach((timer) => {
        clearTimeout(timer);
      });
      destroyAll(attempt.sockets);
    }
    return { answer, durationMs: roundedMs(now() - startedAt), phases: phases.list() };
  };
}

interface Attempt {
  readonly network: Network & { readonly lookup: Lookup };
  readonly request: PostRequest;
  readonly phases: PhaseRecord;
  readonly deadline: Deadline;
  readonly sockets: Socket[];
}

/**
 * The TLS socket goes before the TCP socket that it wraps. The other way round Node frees the TLS state at once,
 * and if that happens inside a callback of OpenSSL, as at the end of a handshake, the process dies of SIGSEGV.
 */
function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets.toReversed()) socket.destroy();
}

/** With several addresses, how long one may take before the next is tried: four of them fit in `connectMsMax`. */
const addressMsMax = 1200;

const lookupAll: Lookup = (host) => lookupAddresses(host, { all: true });

async function perform(attempt: Attempt): Promise<Answer> {
  const target = readTarget(attempt);
  const addresses = await resolve(attempt, target);
  attempt.deadline.limit(connectMsMax);
  const socket = await connect(attempt, target, addresses);
  const secured = await secure(attempt, target, socket);
  attempt.deadline.limit(Infinity);
  attempt.phases.enter('request');
  return await exchange({
    ...attempt,
    socket: secured,
    requestHead: requestHead(target, attempt.request.headers, attempt.request.body),
  });
}

function readTarget(attempt: Attempt): Target {
  const parsed = parseTarget(attempt.request.url, attempt.request.rules);
  if (parsed.ok) return parsed.target;
  attempt.phases.enter('address_check');
  throw new AttemptFailure('blocked_address', 'forbidden_url');
}

/** Any forbidden address refuses all: a name that answers with an inner address is not to be trusted at all. */
async function resolve(attempt: Attempt, target: Target): Promise<readonly Address[]> {
  const addresses = await addressesOf(attempt, target);
  attempt.phases.enter('address_check');
  if (!addresses.every(({ address }) => isPublicAddress(address, attempt.request.rules))) {
    throw new AttemptFailure('blocked_address');
  }
  return addresses;
}

async function addressesOf(attempt: Attempt, target: Target): Promise<readonly Address[]> {
  const { address } = target;
  if (address !== undefined) return [{ address, family: isIPv6(address) ? 6 : 4 }];
  attempt.phases.enter('lookup');
  attempt.deadline.limit(lookupMsMax);
  const addresses = await attempt.deadline.race(attempt.network.lookup(target.host));
  if (addresses.length === 0) throw new AttemptFailure('dns_not_found');
  return addresses.map((each) => ({ address: each.address, family: each.family }));
}

async function connect(attempt: Attempt, target: Target, addresses: readonly Address[]): Promise<Socket> {
  attempt.phases.enter('connect');
  const socket = connectTcp({
    host: target.address ?? target.host,
    port: target.port,
    lookup: pin(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressMsMax,
    noDelay: true,
  });
  await attempt.deadline.race(untilEvent(attempt, socket, 'connect'));
  if (socket.remoteAddress === undefined) throw new AttemptFailure('connection_closed');
  const reached = normalizeAddress(socket.remoteAddress);
  const isChecked =
    reached !== undefined && addresses.some(({ address }) => normalizeAddress(address) === reached);
  if (isChecked) return socket;
  attempt.phases.enter('address_check');
  throw new AttemptFailure('blocked_address');
}

/** Answers with what was checked and nothing else; later than the call, as Node's own does and its callers expect. */
function pin(addresses: readonly Address[]): LookupFunction {
  return (_host, options, callback) => {
    process.nextTick(() => {
      const [first] = addresses;
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}

/** Settles once; the error listener stays for the socket's life, as an error nobody hears ends the process. */
function untilEvent(attempt: Attempt, socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  attempt.sockets.push(socket);
  socket.once(event, () => {
    resolve(undefined);
  });
  socket.on('error', reject);
  socket.once('close', () => {
    reject(new AttemptFailure('connection_closed'));
  });
  return promise;
}

async function secure(attempt: Attempt, target: Target, socket: Socket): Promise<TLSSocket> {
  attempt.phases.enter('tls');
  const { ca } = attempt.network;
  const { clientCertificate } = attempt.request;
  const secured = connectTls({
    socket,
    ...(target.address === undefined ? { servername: target.host } : {}),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true, // said aloud, or NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off
    checkServerIdentity: (_host, certificate) => checkIdentity(target, certificate),
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.key }),
  });
  // Comes several times in a handshake, before anything is verified; the secrets it carries are not looked at.
  // When a handshake has failed, the socket can no longer say what it had seen.
  secured.on('keylog', () => {
    try {
      describeTls(attempt, secured);
    } catch {
      // Called by OpenSSL, where a throw ends the process: better no facts than a receiver that can do that.
    }
  });
  await attempt.deadline.race(untilEvent(attempt, secured, 'secureConnect'));
  return secured;
}

/** Node falls back to the common name when a certificate has no name of the right kind; nobody else does. */
function checkIdentity(target: Target, certificate: PeerCertificate): Error | undefined {
  if (!hasNameFor(target, certificate.subjectaltname)) return new AttemptFailure('tls_no_san');
  const withoutCommonName = { ...certificate, subject: { ...certificate.subject, CN: '' } };
  return checkServerIdentity(target.address ?? target.host, withoutCommonName);
}

function describeTls(attempt: Attempt, socket: TLSSocket): void {
  const version = socket.getProtocol();
  const certificate = describeCertificate(socket.getPeerCertificate(), Date.now());
  attempt.phases.describeTls({
    ...(version === null ? {} : { version }),
    cipher: socket.getCipher().name,
    ...(certificate === undefined ? {} : { certificate }),
    // A server names signature algorithms to a client only in a CertificateRequest (RFC 5246, 7.4.4; RFC 8446, 4.3.2).
    clientCertificateRequested: socket.getSharedSigalgs().length > 0,
    clientCertificateGiven: attempt.request.clientCertificate !== undefined,
  });
}
