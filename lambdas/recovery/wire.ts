import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import { isServed } from '../delivery/decide.ts';
import { outgoing } from '../delivery/message.ts';
import { makeReadRecipient } from '../delivery/store.ts';
import { outgoingDrain } from '../endpoint/health/drain-message.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import type { Announce } from '../event/operator-event.ts';
import type { BatchPorts } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import type { CacheOptions } from '../shared/cache.ts';
import type { Log } from '../shared/log.ts';
import { makeRelease, makeSend } from '../shared/queue.ts';
import { makeBatchedRead } from '../shared/store.ts';
import type { Now } from '../shared/time.ts';
import { byVersion } from '../shared/versions.ts';
import { makeVersions } from '../shared/versions/store.ts';
import type { DrainPorts } from './drain/drain.ts';
import type { recoverEnv } from './env.ts';
import { outgoingJob } from './job.ts';
import { receivesBy } from './receives.ts';
import type { RecoverPorts } from './recover.ts';
import { makeJobStore, makeReadCandidates } from './store.ts';
import { makeReadWaiting } from './waiting/store.ts';

/** What the recover function reaches outside of itself. */
export interface RecoverReach {
  readonly client: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly announce: Announce;
  readonly now: Now;
  readonly log: Log;
  /** The clock of its caches, if it is another one than the process's own. */
  readonly caches?: Pick<CacheOptions, 'now'>;
  /** Items of a job's page; fewer only in tests. */
  readonly pageItems?: number;
}

/** The ports of the recover function; nothing here runs before a message comes. */
export function wireRecover(
  env: z.output<typeof recoverEnv>,
  { client, sqs, announce, now, log, caches = {}, ...paging }: RecoverReach,
): RecoverPorts & DrainPorts & BatchPorts {
  const { CONFIG_TABLE: config, LEDGER_TABLE: ledger } = env;
  const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
  const sendWork = makeSend(sqs, env.RECOVERY_QUEUE_URL);
  const health = makeHealthStore(client, ledger, now);
  const read = makeBatchedRead(client, config);
  const readRecipient = makeReadRecipient(read);
  const versions = makeVersions(read, now);
  const recipients = byVersion(versions, cached(readRecipient, isServed, caches));
  return {
    jobs: makeJobStore(client, ledger, now),
    readPage: makeReadCandidates(client, ledger, { now, ...paging }),
    receives: receivesBy({
      // Who is not served is asked for again: he may have been switched on for this very job.
      readRecipient: async (organizationId, endpointId) => {
        await versions.latest(organizationId);
        return recipients(organizationId, endpointId);
      },
      readHealth: health.read,
    }),
    send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
    goOn: (message, delaySeconds) => sendWork(outgoingJob(message, delaySeconds)),
    readRecipientLatest: readRecipient,
    health,
    waiting: makeReadWaiting(client, ledger, now),
    startDrain: (owner, turn, delaySeconds) => sendWork(outgoingDrain(owner, turn, delaySeconds)),
    release: makeRelease(sqs, [env.RECOVERY_QUEUE_URL]),
    ...{ announce, now, log },
  };
}
