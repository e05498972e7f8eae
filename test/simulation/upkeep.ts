import { begin } from '../../lambdas/recovery/begin.ts';
import { newJob } from '../../lambdas/recovery/job.ts';
import type { Lack } from '../../lambdas/recovery/job.ts';
import { holdSeconds, tidy } from '../../lambdas/recovery/tidy/tidy.ts';
import type { Letter, LetterQueue } from '../../lambdas/recovery/tidy/tidy.ts';
import { newJobId } from '../../lambdas/shared/identifier.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { testStartMs } from '../fakes/clock.ts';
import type { Action } from './action.ts';
import type { ApiPorts } from './api.ts';
import { callApi } from './api.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { showAgain } from './reach.ts';
import { reachTables } from './reach.ts';
import { Stores } from './stores.ts';
import { watchLog } from './watched-messages.ts';
import type { World } from './world.ts';

interface Wanted {
  readonly organizationId: string;
  readonly endpointId?: string;
  readonly include: Lack[];
}

/** `POST …/recover`. */
export async function recover(
  world: World,
  { recovery }: Pick<ApiPorts, 'recovery'>,
  wanted: Wanted,
): Promise<void> {
  const nowMs = world.time.now();
  const until = isoTime(nowMs);
  const id = newJobId(nowMs, () => Uint8Array.from({ length: 10 }, () => world.chance.below(256)));
  const span = { since: isoTime(testStartMs - 3_600_000), until };
  await begin(
    recovery,
    newJob({ ...wanted, ...span, id, dryRun: false, requestedBy: 'somebody' }, nowMs, 30),
  );
}

/** `POST …/recover`, of an endpoint's deliveries or of all dead letters of an organization. */
export const recoverSome: Action = (world) => {
  const { chance, book } = world;
  const organizationId = chance.pick(book.organizationIds);
  const endpointId = chance.pick(book.endpointIds);
  const isOfOne = chance.isLucky(0.7) && book.endpoint(endpointId).latest?.organizationId === organizationId;
  callApi(world, {
    name: `recovering ${isOfOne ? endpointId : 'all that is dead'}`,
    call: (ports) =>
      recover(world, ports, {
        organizationId,
        ...(isOfOne ? { endpointId, include: ['dead', 'discarded', 'missing'] } : { include: ['dead'] }),
      }),
  });
};

/** Cancels whatever recovery is running. */
export const cancelRecovery: Action = (world) => {
  const organizationId = world.chance.pick(world.book.organizationIds);
  const call = async ({ recovery: { jobs } }: ApiPorts): Promise<void> => {
    const { data } = await jobs.list(organizationId, { limit: 1 });
    for (const { id } of data) await jobs.cancel(organizationId, id);
  };
  callApi(world, { name: 'cancelling a recovery', call });
};

/** Later than this nothing that was under way counts as such (lambdas/recovery/candidates.ts). */
const longAgoMs = 65 * 60_000;

/** An hour after all has come to rest, everything that any endpoint lacks is asked for. */
export const recoverAll: Action = (world) => {
  const { book, time, underWay } = world;
  const waiting = {};
  underWay.add(waiting);
  time.later(longAgoMs, () => {
    underWay.delete(waiting);
    book.recoveredAtMs = time.now();
    for (const endpointId of book.endpointIds) {
      const organizationId = book.endpoint(endpointId).latest?.organizationId;
      if (organizationId === undefined) continue;
      const include: Lack[] = ['dead', 'discarded', 'missing'];
      callApi(world, {
        name: `recovering ${endpointId}`,
        call: (ports) => recover(world, ports, { organizationId, endpointId, include }),
      });
    }
  });
};

/** The function that runs every fifteen minutes. */
export const tidyUp: Action = async (world) => {
  const { time, underWay, journal } = world;
  const run = {};
  underWay.add(run);
  const life: Life = {
    ...{ name: 'tidy', isOver: false, skewMs: 0, works: [], sent: [] },
    end: () => {
      life.isOver = true;
      underWay.delete(run);
    },
  };
  journal.tell('tidy', () => 'begins');
  const deadlineMs = time.now() + 900_000;
  const { queue } = suspendable({ queue: lettersOf(world.queues.deliveriesDead) }, world, life);
  const { deliveries } = new Stores(reachTables(world, life), world.tables, time.now);
  try {
    await tidy({
      ...{ queue, readDelivery: deliveries.get },
      remainingMs: () => deadlineMs - time.now(),
      log: watchLog(world, life),
    });
  } catch (fault) {
    journal.tell('tidy', () => `fails: ${String(fault)}`);
  } finally {
    underWay.delete(run);
  }
};

/** The same, and nothing goes wrong. */
export async function tidyAtRest(world: World): Promise<void> {
  const { stores, queues } = world;
  const queue = lettersOf(queues.deliveriesDead);
  await tidy({
    queue,
    readDelivery: stores.deliveries.get,
    remainingMs: () => Infinity,
    log: () => undefined,
  });
}

/** The dead-letter queue, as lambdas/recovery/tidy/queue.ts reaches it. */
function lettersOf(queue: Queue): LetterQueue {
  return {
    receive: async () => {
      const received = await queue.receive({ max: 10, visibilityTimeoutSeconds: holdSeconds });
      return received.map(({ message: { id, body }, receiptHandle }) => ({
        id,
        receipt: receiptHandle,
        body,
      }));
    },
    remove: async (letters) => {
      for (const { receipt } of letters) await queue.delete(receipt);
      return [];
    },
    release: (letters: readonly Letter[]) => {
      for (const { receipt } of letters) showAgain(queue, receipt);
      return Promise.resolve([]);
    },
  };
}
