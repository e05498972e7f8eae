import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { outgoing } from '../delivery/message.ts';
import { makeReadSubscribers } from '../endpoint/store.ts';
import { remembered } from '../endpoint/health/remembered.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { exists } from '../endpoint/subscribers.ts';
import { catalogueOf } from '../event/catalogue.ts';
import { makeEventStore, makeEventTypeStore } from '../event/store.ts';
import { workThroughBatch } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import { makeDocumentClient, makeSqsClient } from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { comesFrom, makeRelease, makeSend } from '../shared/queue.ts';
import { makeLog } from '../shared/request-log.ts';
import { withinTrace } from '../shared/trace.ts';
import { routeEnv } from './env.ts';
import { outgoingFalling } from './falling.ts';
import { receive } from './receive.ts';
import type { ReceivePorts } from './receive.ts';
import { rememberUnknown } from './remember-unknown.ts';

const env = readEnvironment(routeEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const sqs = makeSqsClient();
const eventTypes = makeEventTypeStore(client, env.CONFIG_TABLE);
const send = makeSend(sqs, env.DELIVERIES_QUEUE_URL);
const sendFalling = makeSend(sqs, env.EVENTS_FALLING_QUEUE_URL);
const release = makeRelease(sqs, [env.EVENTS_QUEUE_URL, env.EVENTS_FALLING_QUEUE_URL]);
const readSubscribers = cached(makeReadSubscribers(client, env.CONFIG_TABLE), exists);

const ports: ReceivePorts = {
  lookUpSubscribers: rememberUnknown(readSubscribers, Date.now),
  readHealth: remembered(makeHealthStore(client, env.LEDGER_TABLE, Date.now)).read,
  readCatalogue: cached(
    async () => catalogueOf(await eventTypes.list()),
    () => true,
  ),
  add: makeEventStore(client, env.LEDGER_TABLE, Date.now).add,
  send: (message) => send(outgoing(message, 0)),
  fall: (record) => sendFalling(outgoingFalling(record)),
  isFalling: comesFrom(env.EVENTS_FALLING_QUEUE_URL),
  clock: { now: Date.now, retentionDays: env.RETENTION_DAYS },
  schemas: env.EVENT_SCHEMAS,
  log,
};

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(requestLog())
  .handler((event) =>
    // An event that its producer put into no trace begins one here.
    withinTrace(process.env['_X_AMZN_TRACE_ID'], () =>
      workThroughBatch({ release, log }, event.Records, (record) => receive(ports, record)),
    ),
  );
