import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import { reconcile } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import type { ReconcilePorts, ReconcileQuery } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import { makeReconcileReads } from '../../../lambdas/recovery/reconcile/store.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { behind, dueAt } from '../../../lambdas/shared/waiting.ts';
import { aDelivery } from '../../fakes/a-delivery.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { memoryHealth } from '../../fakes/health.ts';
import { memoryLedger } from '../../fakes/ledger.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const whole = { since: isoTime(0), until: isoTime(testStartMs + 24 * hourMs) };

export type Books = ReturnType<typeof someBooks>;

/** The organization `org_1` with its ledger, five hours after `testStartMs`. */
export function someBooks(
  given: Partial<Pick<ReconcilePorts, 'isAttended'>> & { hasTime?: () => boolean } = {},
) {
  const { hasTime = () => true } = given;
  const clock = aClock(testStartMs + 5 * hourMs);
  const configuration = memoryConfiguration();
  const ledger = memoryLedger(clock.now);
  configuration.setOrganization(anOrganization());
  const told: string[] = [];
  const health = memoryHealth(clock.now, ledger.tables);
  const tables = { config: ledger.tables.config, ledger: ledger.tables.ledger };
  const reads = makeReconcileReads(ledger.tables.client, tables, clock.now);
  const ports: ReconcilePorts = {
    ...reads,
    listOrganizations: configuration.organizations.list,
    ...given,
    tell: (organizationId) => {
      told.push(organizationId);
      return Promise.resolve();
    },
    clock: { now: clock.now, hasTime },
  };
  return {
    ...{ clock, configuration, ledger, health, ports, told },
    run: (query: Partial<ReconcileQuery> = {}) => reconcile(ports, { ...whole, ...query }),
    /** An event with an end for each of its endpoints, or none. */
    keep: async (event: StoredEvent, ends: Record<string, Delivery | undefined>) => {
      const { id: eventId, organizationId } = event;
      const endpoints = Object.keys(ends).map(endpointIdOf);
      await ledger.events.add({ ...event, endpoints });
      for (const [name, end] of Object.entries(ends)) {
        if (end === undefined) continue;
        await ledger.record({ ...end, organizationId, eventId, endpointId: endpointIdOf(name) });
      }
    },
  };
}

export const lateRetry = (lateMs: number) =>
  aDelivery({ nextAttemptAt: isoTime(testStartMs + 5 * hourMs - lateMs) });

/** It waits as a row until a time, and whoever comes every minute should have sent it on. */
export const lateRow = (lateMs: number) => {
  const dueMs = testStartMs + 5 * hourMs - lateMs;
  return aDelivery({ nextAttemptAt: isoTime(dueMs), ...dueAt(dueMs, 'one') });
};

/** It waits for its endpoint. */
export const parked = (name: string, sinceMs: number) => {
  const { nextAttemptAt, ...delivery } = aDelivery();
  return { ...delivery, ...behind(endpointIdOf(name), 'evt', testStartMs + 5 * hourMs - sinceMs) };
};
