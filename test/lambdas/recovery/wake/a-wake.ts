import type { DeliveryMessage } from '../../../../lambdas/delivery/message.ts';
import type { Owner } from '../../../../lambdas/endpoint/health/say.ts';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import { makeRoundsStore } from '../../../../lambdas/recovery/wake/store.ts';
import { wake } from '../../../../lambdas/recovery/wake/wake.ts';
import type { WakePorts } from '../../../../lambdas/recovery/wake/wake.ts';
import { expiryOf, isoTime } from '../../../../lambdas/shared/time.ts';
import { dueAt } from '../../../../lambdas/shared/waiting.ts';
import { aDelivered, aDelivery } from '../../../fakes/a-delivery.ts';
import { aClock } from '../../../fakes/clock.ts';
import { memoryHealth } from '../../../fakes/health.ts';
import { endpointIdOf, eventIdOf } from '../../../fakes/ids.ts';
import { memoryLedger } from '../../../fakes/ledger.ts';
import { memoryLog } from '../../../fakes/log.ts';
import { memoryTables } from '../../../fakes/table/memory-tables.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

export interface Sent {
  readonly message: DeliveryMessage;
  readonly delaySeconds: number;
  readonly atMs: number;
}

export interface Started {
  readonly owner: Owner;
  readonly delaySeconds: number;
  readonly atMs: number;
}

export type Scene = ReturnType<typeof aWake>;

/** Whoever comes every minute, between real stores. */
export function aWake() {
  const clock = aClock();
  const tables = memoryTables({ now: clock.now });
  const ledger = memoryLedger(clock.now, tables);
  const health = memoryHealth(clock.now, tables);
  const rounds = makeRoundsStore(tables.client, tables.ledger);
  const journal = memoryLog();
  const sent: Sent[] = [];
  const started: Started[] = [];
  const ports: WakePorts = {
    ...{ rounds, waiting: ledger.waiting, now: clock.now, log: journal.log, remainingMs: () => 60_000 },
    send: (message, delaySeconds) =>
      Promise.resolve(void sent.push({ message, delaySeconds, atMs: clock.now() })),
    startDrain: (owner, delaySeconds) =>
      Promise.resolve(void started.push({ owner, delaySeconds, atMs: clock.now() })),
  };
  return {
    ...{ clock, tables, ledger, health, rounds, journal, sent, started, ports },
    /** A delivery waits until a time, so far from now. */
    wait: async (name: string, ms: number): Promise<void> => {
      await ledger.record(waitingRow(clock.now(), name, ms));
    },
    /** It has been delivered. */
    deliver: async (name: string): Promise<void> => {
      await ledger.record(aDelivered({ eventId: eventIdOf(name), attemptCount: 4, round: 2 }));
    },
    /** An endpoint has rows that are due so far from now. */
    raise: async (name: string, ms: number): Promise<void> => {
      const backlog = { turn: 0, pass: 1, dueAt: isoTime(clock.now() + ms) };
      await health.replace(endpointIdOf(name), well, { ...well, organizationId: 'org_1', backlog });
    },
    run: () => wake(ports),
    /** Comes so often, each a minute later. */
    runEachMinute: async (times: number, own: WakePorts = ports): Promise<void> => {
      for (let time = 0; time < times; time += 1) {
        await wake(own);
        clock.pass(minuteMs);
      }
    },
  };
}

/** Its third attempt was made now, and the fourth is due so much later. */
function waitingRow(nowMs: number, name: string, ms: number) {
  const eventId = eventIdOf(name);
  const dueMs = nowMs + ms;
  return aDelivery({
    ...{ eventId, attemptCount: 3, round: 2, roundStart: 1, lastError: 'timeout' },
    ...{ nextAttemptAt: isoTime(dueMs), ...dueAt(dueMs, endpointIdOf('one'), eventId) },
    expiresAt: expiryOf(nowMs, 30),
  });
}

/** The event whose delivery was sent on. */
export function eventOf({ message }: Sent): string {
  return message.eventId;
}
