import middy from '@middy/core';
import { makeDeliveryReader } from '../../delivery/store.ts';
import { makeDocumentClient, makeSqsClient } from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { tidyEnv } from './env.ts';
import { makeLetterQueue } from './queue.ts';
import { holdSeconds, tidy } from './tidy.ts';

const env = readEnvironment(tidyEnv, process.env);
const { log, requestLog } = makeLog();
const queue = makeLetterQueue(makeSqsClient(), env.DEAD_LETTER_QUEUE_URL, holdSeconds);
const { get: readDelivery } = makeDeliveryReader(makeDocumentClient(), env.LEDGER_TABLE, Date.now);

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async (_event, context) => {
    await tidy({ queue, readDelivery, remainingMs: () => context.getRemainingTimeInMillis(), log });
  });
