import middy from '@middy/core';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { outgoing } from '../delivery/message.ts';
import { makeDeliveryReader, makeReadRecipient } from '../delivery/store.ts';
import { targetRulesOf } from '../endpoint/env.ts';
import { outgoingDrain } from '../endpoint/health/drain-message.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { makeEndpointStore, makeReadSubscribers } from '../endpoint/store.ts';
import { makePublish } from '../event/bus.ts';
import { makePublicationStore } from '../event/publication/store.ts';
import { makeEventStore, makeEventTypeStore } from '../event/store.ts';
import { makeOrganizationStore } from '../organization/store.ts';
import { outgoingJob } from '../recovery/job.ts';
import { makeJobStore } from '../recovery/store.ts';
import {
  makeDocumentClient,
  makeEventBridgeClient,
  makeKmsClient,
  makeSecretsManagerClient,
  makeSqsClient,
} from '../shared/clients.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeSend } from '../shared/queue.ts';
import { makeLog } from '../shared/request-log.ts';
import { makeBatchedRead } from '../shared/store.ts';
import { withinTrace } from '../shared/trace.ts';
import { makeSayChanged } from '../shared/versions/store.ts';
import { makeCreateKey } from '../signing/create-key.ts';
import { makeMakeKey, makeReadPublicKey } from '../signing/keys.ts';
import { makeSecretWriter } from '../signing/secrets.ts';
import { makeBegunKeyStore, makeSigningKeyStore } from '../signing/store.ts';
import { apiRoutes } from './api-routes.ts';
import { makeAuditStore } from './audit/store.ts';
import { apiEnv } from './env.ts';
import type { HttpAnswer } from './problem.ts';
import { makeLimitRate } from './rate-limit.ts';
import { serve } from './serve.ts';
import type { HttpRequest, ServePorts } from './serve.ts';
import { makeReadCursorKey, makeRequestStore, makeTakeRequests } from './store.ts';

const env = readEnvironment(apiEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const sqs = makeSqsClient();
const kms = makeKmsClient();
const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
const sendJob = makeSend(sqs, env.RECOVERY_QUEUE_URL);
const organizations = makeOrganizationStore(client, env.CONFIG_TABLE);
const audit = makeAuditStore(client, env.CONFIG_TABLE);

const routes = apiRoutes({
  organizations,
  endpoints: makeEndpointStore(client, env.CONFIG_TABLE),
  readSubscribers: makeReadSubscribers(client, env.CONFIG_TABLE),
  readRecipient: makeReadRecipient(makeBatchedRead(client, env.CONFIG_TABLE)),
  health: makeHealthStore(client, env.LEDGER_TABLE, Date.now),
  secrets: makeSecretWriter(makeSecretsManagerClient(), env.SECRET_PREFIX, env.KEY_ARN),
  signing: {
    keys: makeSigningKeyStore(client, env.CONFIG_TABLE),
    createKey: makeCreateKey({
      begun: makeBegunKeyStore(client, env.CONFIG_TABLE),
      make: makeMakeKey(kms, env.STAGE),
      readPublicKey: makeReadPublicKey(kms),
      pause: setTimeout,
      now: Date.now,
    }),
  },
  eventTypes: makeEventTypeStore(client, env.CONFIG_TABLE),
  events: makeEventStore(client, env.LEDGER_TABLE, Date.now),
  publications: makePublicationStore(client, env.LEDGER_TABLE, Date.now),
  publish: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  deliveries: makeDeliveryReader(client, env.LEDGER_TABLE, Date.now),
  send: (message) => send(outgoing(message, 0)),
  jobs: makeJobStore(client, env.LEDGER_TABLE, Date.now),
  start: (message, delaySeconds) => sendJob(outgoingJob(message, delaySeconds)),
  startDrain: (owner, turn, delaySeconds) => sendJob(outgoingDrain(owner, turn, delaySeconds)),
  listAudit: audit.list,
  rules: {
    target: targetRulesOf(env),
    retentionDays: env.RETENTION_DAYS,
    endpointsMax: env.ENDPOINTS_PER_ORGANIZATION,
    schemas: env.EVENT_SCHEMAS,
  },
  chance: { newUuid: randomUUID, randomBytes: () => randomBytes(32) },
  now: Date.now,
  log,
});

const ports: ServePorts = {
  getOrganization: organizations.get,
  claimNames: { organization: env.ORGANIZATION_CLAIM, scope: env.SCOPE_CLAIM },
  now: Date.now,
  log,
  routes,
  limitRate: makeLimitRate({
    take: makeTakeRequests(client, env.LEDGER_TABLE),
    requestsPerMinute: env.REQUESTS_PER_MINUTE,
    now: Date.now,
  }),
  habits: {
    readCursorKey: makeReadCursorKey(client, env.CONFIG_TABLE, () => randomBytes(32)),
    once: {
      requests: makeRequestStore(client, env.LEDGER_TABLE, Date.now),
      now: Date.now,
      randomBytes: () => randomBytes(16),
    },
    audit: {
      entries: audit,
      sayChanged: makeSayChanged(client, env.CONFIG_TABLE),
      now: Date.now,
      randomBytes: () => randomBytes(10),
      log,
    },
  },
};

export const handler = middy<HttpRequest, HttpAnswer>()
  .use(requestLog())
  .handler((request) => withinTrace(process.env['_X_AMZN_TRACE_ID'], () => serve(ports, request)));
