import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { randomUUID } from 'node:crypto';
import { makePublish } from '../event/bus.ts';
import { makePost } from '../request/post.ts';
import {
  makeDocumentClient,
  makeEventBridgeClient,
  makeKmsClient,
  makeSecretsManagerClient,
  makeSqsClient,
} from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeLog } from '../shared/request-log.ts';
import { makeSignDigest } from '../signing/keys.ts';
import { makeReadSecret } from '../signing/secrets.ts';
import { deliverEnv } from './env.ts';
import { receiveBatch } from './receive.ts';
import { wireDeliver } from './wire.ts';

const env = readEnvironment(deliverEnv, process.env);
const { log, requestLog } = makeLog();
const ports = wireDeliver(env, {
  client: makeDocumentClient(),
  sqs: makeSqsClient(),
  readSecret: makeReadSecret(makeSecretsManagerClient(), env.SECRET_PREFIX),
  signDigest: makeSignDigest(makeKmsClient()),
  announce: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  post: makePost(),
  now: Date.now,
  random: Math.random,
  newId: randomUUID,
  log,
});

export const handler = middy<SQSEvent, SQSBatchResponse>()
  .use(requestLog())
  .handler((event, context) => receiveBatch(ports, event.Records, () => context.getRemainingTimeInMillis()));
