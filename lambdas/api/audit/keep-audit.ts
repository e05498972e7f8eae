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
  /** Whether what it changes is nothing that a function remembers. */
  readonly leavesConfiguration?: true | undefined;
};

/** The audit of one request. */
export interface RequestAudit {
  readonly audited: Audited;
  /**
   * Has every function see what this request has changed, if it has; once for all of it, however much that is: each time
   * all of them read the configuration anew.
   */
  readonly say: () => Promise<void>;
}

/**
 * Writes a change down before it is made, and once more when it is done: so no change can be missing from the audit,
 * whatever fails in between. What was refused has changed nothing, and leaves nothing. Nobody is answered before the
 * change is said to every function: whoever has an answer can rely on it.
 */
export function auditOf(
  ports: AuditPorts,
  { organizationId, leavesConfiguration, ...request }: AuditedRequest,
): RequestAudit {
  const { entries, sayChanged, now, randomBytes, log } = ports;
  let isChanged = false;
  const say = async (): Promise<void> => {
    if (isChanged && leavesConfiguration === undefined) await sayChanged(organizationId);
  };
  const audited: Audited = async (before, work, shown) => {
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
      isChanged = true;
      const after = shown(result);
      const entry = { ...begun, outcome: 'done' as const, ...(after === undefined ? {} : { after }) };
      await settle(entries.put(organizationId, entry));
      return result;
    } catch (fault) {
      if (fault instanceof Refusal) await settle(entries.remove(organizationId, begun.id));
      // It may have been made all the same.
      else isChanged = true;
      throw fault;
    }
  };
  return { audited, say };
}
