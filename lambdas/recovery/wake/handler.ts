import middy from '@middy/core';
import { outgoing } from '../../delivery/message.ts';
import { makeDocumentClient, makeSqsClient } from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeSend } from '../../shared/queue.ts';
import { makeLog } from '../../shared/request-log.ts';
import { outgoingDrain } from '../../endpoint/health/drain-message.ts';
import { makeReadWaiting } from '../waiting/store.ts';
import { wakeEnv } from './env.ts';
import { makeRoundsStore } from './store.ts';
import { wake } from './wake.ts';

const env = readEnvironment(wakeEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const sqs = makeSqsClient();
const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
const sendDrain = makeSend(sqs, env.RECOVERY_QUEUE_URL);
const rounds = makeRoundsStore(client, env.LEDGER_TABLE);
const waiting = makeReadWaiting(client, env.LEDGER_TABLE, Date.now);

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async (_event, context) => {
    await wake({
      ...{ rounds, waiting, now: Date.now, log },
      send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
      startDrain: (owner, delaySeconds) => sendDrain(outgoingDrain(owner, undefined, delaySeconds)),
      remainingMs: () => context.getRemainingTimeInMillis(),
    });
  });
