import { Refusal } from '../../shared/errors.ts';
import { newAuditId } from '../../shared/identifier.ts';
import type { RandomBytes } from '../../shared/identifier.ts';
import { nameOfFault } from '../../shared/log.ts';
import type { Log } from '../../shared/log.ts';
import type { Audited } from '../../shared/route.ts';
import { isoTime } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import type { SayChanged } from '../../shared/versions.ts';
import type { AuditEntry } from './entry.ts';

export interface AuditPorts {
  readonly entries: {
    /** Writes an entry, or writes it again with its outcome. */
    readonly put: (organizationId: string, entry: AuditEntry) => Promise<void>;
    readonly remove: (organizationId: string, id: string) => Promise<void>;
  };
  /** Has every function see that the configuration is another one. */
  readonly sayChanged: SayChanged;
  readonly now: Now;
  /** At least ten. */
  readonly randomBytes: RandomBytes;
  readonly log: Log;
}

export type AuditedRequest = Pick<AuditEntry, 'by' | 'operation' | 'target' | 'requestId'> & {
  readonly organizationId: string;
};

/**
 * Writes a change down before it is made, and once more when it is done: so no change can be missing from the audit,
 * whatever fails in between. What was refused has changed nothing, and leaves nothing. Nobody is answered before the
 * change is said to every function: whoever has an answer can rely on it.
 */
export function auditedBy(ports: AuditPorts, { organizationId, ...request }: AuditedRequest): Audited {
  const { entries, sayChanged, now, randomBytes, log } = ports;
  return async function audited(before, work, shown) {
    const nowMs = now();
    const begun: AuditEntry = {
      id: newAuditId(nowMs, randomBytes),
      at: isoTime(nowMs),
      ...request,
      outcome: 'unknown',
      ...(before === undefined ? {} : { before }),
    };
    await entries.put(organizationId, begun);
    // It is done, or was refused: neither must be told otherwise because the audit could not be written again.
    const settle = (write: Promise<void>) =>
      write.catch((fault: unknown) => {
        log('audit.unsettled', { auditId: begun.id, organizationId, fault: nameOfFault(fault) });
      });
    try {
      const result = await work();
      const after = shown(result);
      const entry = { ...begun, outcome: 'done' as const, ...(after === undefined ? {} : { after }) };
      await Promise.all([settle(entries.put(organizationId, entry)), sayChanged(organizationId)]);
      return result;
    } catch (fault) {
      if (fault instanceof Refusal) await settle(entries.remove(organizationId, begun.id));
      // It may have been made all the same; if this fails, too, it is seen within half a minute.
      else await sayChanged(organizationId).catch(() => undefined);
      throw fault;
    }
  };
}
