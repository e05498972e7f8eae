import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { isServed } from '../delivery/decide.ts';
import { outgoing } from '../delivery/message.ts';
import { makeReadRecipient } from '../delivery/store.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { makePublish } from '../event/bus.ts';
import { workThroughBatch } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import { makeDocumentClient, makeEventBridgeClient, makeSqsClient } from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeRelease, makeSend } from '../shared/queue.ts';
import { makeLog } from '../shared/request-log.ts';
import { makeBatchedRead } from '../shared/store.ts';
import { recoverEnv } from './env.ts';
import { outgoingDrain } from '../endpoint/health/drain-message.ts';
import type { DrainPorts } from './drain/drain.ts';
import { outgoingJob } from './job.ts';
import { receive } from './receive.ts';
import { receivesBy } from './receives.ts';
import type { RecoverPorts } from './recover.ts';
import { makeJobStore, makeReadCandidates } from './store.ts';
import { makeReadWaiting } from './waiting/store.ts';

const env = readEnvironment(recoverEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const sqs = makeSqsClient();
const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
const sendJob = makeSend(sqs, env.RECOVERY_QUEUE_URL);
const release = makeRelease(sqs, [env.RECOVERY_QUEUE_URL]);

const health = makeHealthStore(client, env.LEDGER_TABLE, Date.now);
const readRecipient = makeReadRecipient(makeBatchedRead(client, env.CONFIG_TABLE));

const ports: RecoverPorts & DrainPorts = {
  jobs: makeJobStore(client, env.LEDGER_TABLE, Date.now),
  readPage: makeReadCandidates(client, env.LEDGER_TABLE, { now: Date.now }),
  receives: receivesBy({
    // Who is not served is asked for again: he may have been switched on for this very job.
    readRecipient: cached(readRecipient, isServed),
    readHealth: health.read,
  }),
  send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
  goOn: (message, delaySeconds) => sendJob(outgoingJob(message, delaySeconds)),
  readRecipientLatest: readRecipient,
  health,
  waiting: makeReadWaiting(client, env.LEDGER_TABLE, Date.now),
  startDrain: (owner, turn, delaySeconds) => sendJob(outgoingDrain(owner, turn, delaySeconds)),
  announce: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  now: Date.now,
  log,
};

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(requestLog())
  .handler((event, context) =>
    workThroughBatch({ release, log }, event.Records, (record) =>
      receive(ports, record, () => context.getRemainingTimeInMillis()),
    ),
  );
