import middy from '@middy/core';
import { makeDocumentClient, makeSqsClient } from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { wakeEnv } from './env.ts';
import { wake } from './wake.ts';
import { wireWake } from './wire.ts';

const env = readEnvironment(wakeEnv, process.env);
const { log, requestLog } = makeLog();
const ports = wireWake(env, { client: makeDocumentClient(), sqs: makeSqsClient(), now: Date.now, log });

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async (_event, context) => {
    await wake({ ...ports, remainingMs: () => context.getRemainingTimeInMillis() });
  });
