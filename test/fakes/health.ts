import { well } from '../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import { lineMs } from '../../lambdas/endpoint/health/pace.ts';
import type { Reserve } from '../../lambdas/endpoint/health/pace.ts';
import type { makeHealthStore } from '../../lambdas/endpoint/health/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';

export interface MemoryHealth extends ReturnType<typeof makeHealthStore> {
  readonly reserve: Reserve;
}

/** What the ledger keeps of endpoints, in memory: their health, and the line of those that are held to a pace. */
export function memoryHealth(now: Now): MemoryHealth {
  const kept = new Map<string, Health>();
  const lines = new Map<string, number>();
  const read = (endpointId: string) => Promise.resolve(kept.get(endpointId) ?? well);
  return {
    read,
    readLatest: read,
    replace: (endpointId, before, after) => {
      const isUnchanged = (kept.get(endpointId)?.version ?? 0) === before.version;
      if (isUnchanged) kept.set(endpointId, { ...after, version: before.version + 1 });
      return Promise.resolve(isUnchanged);
    },
    forget: (endpointId) => {
      kept.delete(endpointId);
      return Promise.resolve();
    },
    reserve: (endpointId, perSecond) => {
      const slot = Math.max(now(), lines.get(endpointId) ?? 0);
      if (slot >= now() + lineMs) return Promise.resolve(undefined);
      lines.set(endpointId, slot + 1_000 / perSecond);
      return Promise.resolve(slot);
    },
  };
}
