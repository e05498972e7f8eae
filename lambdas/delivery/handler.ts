import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { randomUUID } from 'node:crypto';
import { targetRulesOf } from '../endpoint/env.ts';
import { outgoingDrain } from '../endpoint/health/drain-message.ts';
import { remembered } from '../endpoint/health/remembered.ts';
import { makeTake } from '../endpoint/health/pace/store.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { makePublish } from '../event/bus.ts';
import type { BatchPorts } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import {
  makeDocumentClient,
  makeEventBridgeClient,
  makeKmsClient,
  makeSecretsManagerClient,
  makeSqsClient,
} from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeRelease, makeSend } from '../shared/queue.ts';
import { makeLog } from '../shared/request-log.ts';
import { makeBatchedRead } from '../shared/store.ts';
import { makeSignDigest } from '../signing/keys.ts';
import { makeReadSecret } from '../signing/secrets.ts';
import { makeSigningKeyStore } from '../signing/store.ts';
import { isServed } from './decide.ts';
import type { DeliverPorts } from './deliver.ts';
import { deliverEnv } from './env.ts';
import { outgoing } from './message.ts';
import { makePost } from '../request/post.ts';
import { receiveBatch } from './receive.ts';
import { isNotEmpty, prepare } from '../request/prepare.ts';
import type { PreparePorts } from '../request/prepare.ts';
import { makeShare } from './share.ts';
import { makeRecord, makeRewrite, makeStrikeOff } from './record/store.ts';
import { makeReadKnown, makeReadRecipient } from './store.ts';

const env = readEnvironment(deliverEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const sqs = makeSqsClient();
const preparation: PreparePorts = {
  readSecret: makeReadSecret(makeSecretsManagerClient(), env.SECRET_PREFIX),
  readSigningKeys: cached(makeSigningKeyStore(client, env.CONFIG_TABLE).list, isNotEmpty),
  signDigest: makeSignDigest(makeKmsClient()),
  issuer: env.ISSUER,
  now: Date.now,
};
const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
const sendFalling = makeSend(sqs, env.FALLING_QUEUE_URL);
const sendDrain = makeSend(sqs, env.RECOVERY_QUEUE_URL);
const readRecipient = makeReadRecipient(makeBatchedRead(client, env.CONFIG_TABLE));

const ports: DeliverPorts & BatchPorts = {
  readRecipient: cached(readRecipient, isServed),
  readRecipientLatest: readRecipient,
  readKnown: makeReadKnown(makeBatchedRead(client, env.LEDGER_TABLE), Date.now),
  record: makeRecord(client, env.LEDGER_TABLE, Date.now),
  rewrite: makeRewrite(client, env.LEDGER_TABLE, Date.now),
  strikeOff: makeStrikeOff(client, env.LEDGER_TABLE),
  health: remembered(makeHealthStore(client, env.LEDGER_TABLE, Date.now)),
  take: makeTake(client, env.LEDGER_TABLE, Date.now),
  share: makeShare(Date.now),
  announce: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
  bury: (message) => sendFalling(outgoing(message, 0)),
  startDrain: (owner, turn, delaySeconds) => sendDrain(outgoingDrain(owner, turn, delaySeconds)),
  prepare: (endpoint, unsigned) => prepare(preparation, endpoint, unsigned),
  post: makePost(),
  targetRules: targetRulesOf(env),
  retentionDays: env.RETENTION_DAYS,
  now: Date.now,
  random: Math.random,
  newId: randomUUID,
  release: makeRelease(sqs, [env.DELIVERIES_QUEUE_URL, env.RETRIES_QUEUE_URL, env.FALLING_QUEUE_URL]),
  log,
};

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(requestLog())
  .handler((event, context) => receiveBatch(ports, event.Records, () => context.getRemainingTimeInMillis()));
