import { z } from 'zod';
import type { AuditEntry } from '../../lambdas/api/audit/entry.ts';
import type { makeAuditStore } from '../../lambdas/api/audit/store.ts';
import type { KeptRequest, OncePorts } from '../../lambdas/api/once.ts';
import type { RateLimitPorts } from '../../lambdas/api/rate-limit.ts';
import { auditId } from '../../lambdas/shared/identifier.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { kept } from './kept.ts';
import { pageOf } from './page.ts';
import type { Listing } from './page.ts';
import { soon } from './soon.ts';

const newestFirst: Listing<AuditEntry> = {
  order: 'descending',
  position: z.tuple([auditId]),
  placeOf: ({ id }) => [id],
};

export type AuditStore = ReturnType<typeof makeAuditStore>;

/** The audit in memory. */
export function memoryAudit(): AuditStore & { readonly all: () => AuditEntry[] } {
  const entries = new Map<string, AuditEntry>();
  const keyOf = (organizationId: string, id: string) => `${organizationId} ${id}`;
  return {
    put: (organizationId, entry) =>
      soon(() => void entries.set(keyOf(organizationId, entry.id), kept(entry))),
    remove: (organizationId, id) => soon(() => void entries.delete(keyOf(organizationId, id))),
    list: (organizationId, { since, until, ...query }) =>
      soon(() => {
        const own = [...entries]
          .filter(([key]) => key.startsWith(`${organizationId} `))
          .map(([, one]) => one);
        const within = own.filter(
          ({ at }) =>
            (since === undefined || Date.parse(at) >= Date.parse(since)) &&
            (until === undefined || Date.parse(at) <= Date.parse(until)),
        );
        return structuredClone(pageOf(within, query, newestFirst));
      }),
    all: () => [...entries.values()],
  };
}

/** Requests with an `Idempotency-Key`, in memory. */
export function memoryRequests(now: Now): OncePorts['requests'] & { readonly all: () => KeptRequest[] } {
  const requests = new Map<string, KeptRequest>();
  const keyOf = (organizationId: string, { id }: KeptRequest) => `${organizationId} ${id}`;
  const put = (organizationId: string, request: KeptRequest) =>
    soon(() => {
      // An item of DynamoDB's.
      if (Buffer.byteLength(JSON.stringify(request)) > 400 * 1024) throw new Error('Item size has exceeded');
      requests.set(keyOf(organizationId, request), kept(request));
    });
  return {
    begin: (organizationId, begun) =>
      soon(() => {
        const there = requests.get(keyOf(organizationId, begun));
        const isThere = there !== undefined && there.expiresAt > Math.floor(now() / 1000);
        if (!isThere || there.isFree === true) requests.set(keyOf(organizationId, begun), kept(begun));
        return isThere ? there : undefined;
      }),
    keep: put,
    forget: async (organizationId, begun) => {
      if (requests.get(keyOf(organizationId, begun))?.token !== begun.token) return;
      await put(organizationId, { ...begun, isFree: true });
    },
    all: () => [...requests.values()],
  };
}

/** Counts of callers' requests, in memory. */
export function memoryTakeRequests(): RateLimitPorts['take'] {
  const counts = new Map<string, number>();
  return (subject, minute, requests) =>
    soon(() => {
      const name = `${subject} ${String(minute)}`;
      const count = (counts.get(name) ?? 0) + requests;
      counts.set(name, count);
      return count;
    });
}
