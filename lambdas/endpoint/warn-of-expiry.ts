import { operatorEvent } from '../event/operator-event.ts';
import type { Announce } from '../event/operator-event.ts';
import type { Log } from '../shared/log.ts';
import type { Now } from '../shared/time.ts';
import type { Endpoint } from './endpoint.ts';

export interface WarnPorts {
  /** Endpoints whose client certificate ends before a moment (ISO time). */
  readonly listExpiring: (before: string) => Promise<readonly Endpoint[]>;
  readonly warnings: {
    /** Days ahead of which the owner has been warned last, of this very certificate. */
    readonly last: (endpointId: string, versionId: string) => Promise<number | undefined>;
    readonly keep: (endpointId: string, versionId: string, days: number) => Promise<void>;
  };
  readonly announce: Announce;
  readonly now: Now;
  readonly log: Log;
}

/** Days ahead of a certificate's end at which its owner is warned. */
const warningDays = [30, 7, 1] as const;

const dayMs = 86_400_000;

/**
 * Puts an operator event on the bus for every client certificate that is about to end. Published before it is
 * noted: a crash in between warns twice, and never not at all.
 */
export async function warnOfExpiry(ports: WarnPorts): Promise<void> {
  const nowMs = ports.now();
  const horizon = new Date(nowMs + warningDays[0] * dayMs).toISOString();
  for (const { organizationId, id: endpointId, clientCertificate } of await ports.listExpiring(horizon)) {
    if (clientCertificate === undefined) continue;
    const { notAfter, subject, versionId } = clientCertificate;
    const days = dueWarning(notAfter, await ports.warnings.last(endpointId, versionId), nowMs);
    if (days === undefined) continue;
    const said = { organizationId, endpointId, subject, notAfter, days };
    await ports.announce(operatorEvent('endpoint.certificate_expiring', said));
    await ports.warnings.keep(endpointId, versionId, days);
    ports.log('certificate.expiring', { organizationId, endpointId, notAfter, days });
  }
}

/**
 * The warning that is due: the nearest threshold that has been passed, unless its owner was warned of it. A day
 * on which nobody looked loses no warning.
 */
export function dueWarning(
  notAfter: string,
  warnedDays: number | undefined,
  nowMs: number,
): number | undefined {
  const daysLeft = (Date.parse(notAfter) - nowMs) / dayMs;
  const passed = warningDays.filter((days) => daysLeft <= days).at(-1);
  return passed !== undefined && (warnedDays === undefined || warnedDays > passed) ? passed : undefined;
}
