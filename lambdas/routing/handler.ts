import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { makePublish } from '../event/bus.ts';
import { workThroughBatch } from '../shared/batch.ts';
import { makeDocumentClient, makeEventBridgeClient, makeSqsClient } from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeLog } from '../shared/request-log.ts';
import { withinTrace } from '../shared/trace.ts';
import { routeEnv } from './env.ts';
import { receive } from './receive.ts';
import { wireRoute } from './wire.ts';

const env = readEnvironment(routeEnv, process.env);
const { log, requestLog } = makeLog();
const ports = wireRoute(env, {
  ...{ client: makeDocumentClient(), sqs: makeSqsClient(), now: Date.now, log },
  announce: makePublish(makeEventBridgeClient(), env.BUS_NAME),
});

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(requestLog())
  .handler((event) =>
    // An event that its producer put into no trace begins one here.
    withinTrace(process.env['_X_AMZN_TRACE_ID'], () =>
      workThroughBatch(ports, event.Records, (record) => receive(ports, record)),
    ),
  );
