import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { makePublish } from '../event/bus.ts';
import { workThroughBatch } from '../shared/batch.ts';
import { makeDocumentClient, makeEventBridgeClient, makeSqsClient } from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeLog } from '../shared/request-log.ts';
import { recoverEnv } from './env.ts';
import { receive } from './receive.ts';
import { wireRecover } from './wire.ts';

const env = readEnvironment(recoverEnv, process.env);
const { log, requestLog } = makeLog();
const ports = wireRecover(env, {
  client: makeDocumentClient(),
  sqs: makeSqsClient(),
  announce: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  now: Date.now,
  log,
});

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(requestLog())
  .handler((event, context) =>
    workThroughBatch(ports, event.Records, (record) =>
      receive(ports, record, () => context.getRemainingTimeInMillis()),
    ),
  );
