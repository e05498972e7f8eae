import { z } from 'zod';

/** The steps of one attempt, in the order in which they happen. An IP literal has no `lookup`. */
export const phaseName = z
  .enum(['lookup', 'address_check', 'connect', 'tls', 'request', 'first_byte'])
  .meta({ id: 'AttemptPhase' });

export type PhaseName = z.output<typeof phaseName>;

export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  /** RFC 3339, or empty when the certificate holds no readable date. */
  readonly validTo: string;
  /** Whether it is the receiver's own certificate that is out of date, and not one of those that vouch for it. */
  readonly isOutOfDate: boolean;
}

/** What the handshake showed, also when it failed later: an expired certificate can be shown with its date. */
export interface TlsFacts {
  readonly version?: string;
  readonly cipher?: string;
  readonly certificate?: CertificateFacts;
  /** Absent when the handshake did not get far enough to know. */
  readonly clientCertificateRequested?: boolean;
  readonly clientCertificateGiven: boolean;
}

/** What an attempt had seen of the receiver when it ended. */
export interface Seen {
  readonly tls?: TlsFacts | undefined;
  /** Since the handshake ended well and the request went out; absent before. */
  readonly sinceRequestMs?: number | undefined;
  /** Whether any byte came back. */
  readonly hasAnswerBegun: boolean;
}

interface Timing<Name extends PhaseName> {
  readonly name: Name;
  readonly ms: number;
  readonly ok: boolean;
}

export type Phase = Timing<Exclude<PhaseName, 'tls'>> | (Timing<'tls'> & TlsFacts);

export interface PhaseRecord {
  /** Begins a phase; the one before it, if still open, has gone well. */
  readonly enter: (name: PhaseName) => void;
  /** Ends the open phase, if there is one. */
  readonly close: (ok: boolean) => void;
  readonly describeTls: (facts: TlsFacts) => void;
  /** A byte of the answer is here. */
  readonly beginAnswer: () => void;
  readonly seen: () => Seen;
  /** The phase entered last, open or not. */
  readonly current: () => PhaseName;
  readonly list: () => readonly Phase[];
}

/** Keeps how far an attempt came and how long each step took; `now` is a monotonic clock in milliseconds. */
export function recordPhases(now: () => number): PhaseRecord {
  const done: { name: PhaseName; ms: number; ok: boolean }[] = [];
  let open: { name: PhaseName; startedAt: number } | undefined;
  let current: PhaseName = 'lookup';
  let tls: TlsFacts | undefined;
  let requestedAt: number | undefined;
  let hasAnswerBegun = false;

  function close(ok: boolean): void {
    if (open === undefined) return;
    done.push({ name: open.name, ms: roundedMs(now() - open.startedAt), ok });
    open = undefined;
  }

  return {
    enter: (name) => {
      close(true);
      current = name;
      open = { name, startedAt: now() };
      if (name === 'request') requestedAt = open.startedAt;
    },
    close,
    describeTls: (facts) => {
      tls = facts;
    },
    beginAnswer: () => {
      hasAnswerBegun = true;
    },
    seen: () => ({
      tls,
      sinceRequestMs: requestedAt === undefined ? undefined : now() - requestedAt,
      hasAnswerBegun,
    }),
    current: () => current,
    list: () => done.map((phase) => toPhase(phase, tls ?? { clientCertificateGiven: false })),
  };
}

/** Microseconds are kept: on a fast network the name and the address take less than one millisecond. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function toPhase(phase: { name: PhaseName; ms: number; ok: boolean }, facts: TlsFacts): Phase {
  const { name, ms, ok } = phase;
  return name === 'tls' ? { name, ms, ok, ...facts } : { name, ms, ok };
}
