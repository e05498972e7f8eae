import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { isServed } from '../delivery/decide.ts';
import { outgoing } from '../delivery/message.ts';
import { makeReadRecipient } from '../delivery/store.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { makePublish } from '../event/bus.ts';
import { workThroughBatch } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeRelease, makeSend } from '../shared/queue.ts';
import { makeLog } from '../shared/request-log.ts';
import { makeDocumentClient } from '../shared/store.ts';
import { recoverEnv } from './env.ts';
import { outgoingJob } from './job.ts';
import { receive } from './receive.ts';
import { receivesBy } from './receives.ts';
import type { RecoverPorts } from './recover.ts';
import { makeJobStore, makeReadCandidates } from './store.ts';

const env = readEnvironment(recoverEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const sqs = new SQSClient({});
const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
const sendJob = makeSend(sqs, env.RECOVERY_QUEUE_URL);
const release = makeRelease(sqs, [env.RECOVERY_QUEUE_URL]);

const ports: RecoverPorts = {
  jobs: makeJobStore(client, env.LEDGER_TABLE, Date.now),
  readPage: makeReadCandidates(client, env.LEDGER_TABLE, { now: Date.now }),
  receives: receivesBy({
    // Who is not served is asked for again: he may have been switched on for this very job.
    readRecipient: cached(makeReadRecipient(client, env.CONFIG_TABLE), isServed),
    readHealth: makeHealthStore(client, env.LEDGER_TABLE, Date.now).read,
  }),
  send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
  goOn: (message, delaySeconds) => sendJob(outgoingJob(message, delaySeconds)),
  announce: makePublish(new EventBridgeClient({}), env.BUS_NAME),
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
