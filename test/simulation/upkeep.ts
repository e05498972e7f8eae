import { isServed } from '../../lambdas/delivery/decide.ts';
import type { Recipient } from '../../lambdas/delivery/decide.ts';
import { begin } from '../../lambdas/recovery/begin.ts';
import { newJob } from '../../lambdas/recovery/job.ts';
import type { Lack } from '../../lambdas/recovery/job.ts';
import { receivesBy } from '../../lambdas/recovery/receives.ts';
import type { RecoverPorts } from '../../lambdas/recovery/recover.ts';
import { holdSeconds, tidy } from '../../lambdas/recovery/tidy/tidy.ts';
import type { Letter, LetterQueue } from '../../lambdas/recovery/tidy/tidy.ts';
import type { BatchPorts } from '../../lambdas/shared/batch.ts';
import { newJobId } from '../../lambdas/shared/identifier.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { testStartMs } from '../fakes/clock.ts';
import { memoryCandidates } from '../fakes/jobs.ts';
import type { Action } from './action.ts';
import type { ApiPorts } from './api.ts';
import { callApi, sendJob } from './api.ts';
import { shareCache } from './caches.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { releaseTo, showAgain } from './ports.ts';
import { watchAnnounce, watchLog, watchSend } from './watched-messages.ts';
import type { World } from './world.ts';

const recipients = shareCache<Recipient>(isServed);

/** Small, so that most jobs have several pages. */
const pageItems = 2;

/** The ports of an instance, made as lambdas/recovery/handler.ts makes them. */
export function recoverPorts(world: World, life: Life): RecoverPorts & BatchPorts {
  const { time, configuration, book, jobs, ledger, queues } = world;
  const toRetries = watchSend(world, life, queues.retries);
  const reached = suspendable(
    {
      jobs: { get: jobs.get, advance: jobs.advance },
      readPage: memoryCandidates(ledger, pageItems),
      readRecipient: configuration.readRecipient,
      readHealth: world.health.read,
      send: async (message: Parameters<RecoverPorts['send']>[0], delaySeconds: number) => {
        // What was lost on its way is asked for as it was.
        if (message.trigger !== 'manual') book.dossier(message.endpointId, message.eventId).askedFor += 1;
        await toRetries(message, delaySeconds);
      },
      goOn: sendJob(world),
      announce: watchAnnounce(world, life),
      release: releaseTo(world),
    },
    world,
    life,
  );
  const { readRecipient, readHealth, ...ports } = reached;
  const recipientOf = recipients((organizationId = '', endpointId = '') =>
    readRecipient(organizationId, endpointId),
  );
  return {
    ...ports,
    receives: receivesBy({ readRecipient: recipientOf, readHealth }),
    now: () => time.now() + life.skewMs,
    log: watchLog(world, life),
  };
}

interface Wanted {
  readonly organizationId: string;
  readonly endpointId?: string;
  readonly include: Lack[];
}

async function recover(
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
  callApi(world, `recovering ${isOfOne ? endpointId : 'all that is dead'}`, (ports) =>
    recover(world, ports, {
      organizationId,
      ...(isOfOne ? { endpointId, include: ['dead', 'discarded', 'missing'] } : { include: ['dead'] }),
    }),
  );
};

/** Cancels whatever recovery is running. */
export const cancelRecovery: Action = (world) => {
  const organizationId = world.chance.pick(world.book.organizationIds);
  callApi(world, 'cancelling a recovery', async ({ recovery: { jobs } }) => {
    const { data } = await jobs.list(organizationId, { limit: 1 });
    for (const { id } of data) await jobs.cancel(organizationId, id);
  });
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
      callApi(world, `recovering ${endpointId}`, (ports) =>
        recover(world, ports, { organizationId, endpointId, include }),
      );
    }
  });
};

/** The function that runs every fifteen minutes. */
export const tidyUp: Action = async (world) => {
  const { time, underWay, journal } = world;
  const run = {};
  underWay.add(run);
  const life: Life = {
    ...{ name: 'tidy', isOver: false, skewMs: 0, works: [] },
    end: () => {
      life.isOver = true;
      underWay.delete(run);
    },
  };
  journal.tell('tidy', () => 'begins');
  const deadlineMs = time.now() + 900_000;
  const { queue, readDelivery } = suspendable(tidyPorts(world), world, life);
  try {
    await tidy({
      queue,
      readDelivery,
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
  await tidy({ ...tidyPorts(world), remainingMs: () => Infinity, log: () => undefined });
}

function tidyPorts({ queues, ledger }: World) {
  return { queue: lettersOf(queues.deliveriesDead), readDelivery: ledger.deliveries.get };
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
