import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { randomBytes, randomUUID } from 'node:crypto';
import { outgoing } from '../delivery/message.ts';
import { deliveryRoutes } from '../delivery/routes.ts';
import { testing } from '../delivery/test-routes.ts';
import { makeDeliveryReader, makeReadRecipient } from '../delivery/store.ts';
import { configurationRoutes } from '../endpoint/configuration/configuration-routes.ts';
import { certificateRoutes } from '../endpoint/certificate-routes.ts';
import type { ResumePorts } from '../endpoint/health/resume.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import type { RegisterPorts } from '../endpoint/register.ts';
import { endpointRoutes } from '../endpoint/routes.ts';
import { secretRoutes } from '../endpoint/secret-routes.ts';
import { makeEndpointStore, makeReadSubscribers } from '../endpoint/store.ts';
import { targetRulesOf } from '../endpoint/env.ts';
import { makePublish } from '../event/bus.ts';
import { catalogueOf } from '../event/catalogue.ts';
import { eventRoutes } from '../event/routes.ts';
import { makeEventStore, makeEventTypeStore } from '../event/store.ts';
import { eventTypeRoutes } from '../event/type-routes.ts';
import { organizationRoutes } from '../organization/routes.ts';
import { makeOrganizationStore } from '../organization/store.ts';
import { previewRoutes } from '../routing/preview-routes.ts';
import { outgoingJob } from '../recovery/job.ts';
import { missedRoutes } from '../recovery/missed-routes.ts';
import { receivesBy } from '../recovery/receives.ts';
import { recoveryRoutes } from '../recovery/routes.ts';
import type { RecoveryRoutesPorts } from '../recovery/routes.ts';
import { makeJobStore } from '../recovery/store.ts';
import type { Route } from '../shared/route.ts';
import { readEnvironment } from '../shared/environment.ts';
import { makeSend } from '../shared/queue.ts';
import { makeLog } from '../shared/request-log.ts';
import { makeDocumentClient } from '../shared/store.ts';
import { withinTrace } from '../shared/trace.ts';
import { makeCreateKey } from '../signing/keys.ts';
import { ensureKey } from '../signing/rotate-keys.ts';
import type { KeyPorts } from '../signing/rotate-keys.ts';
import { signingRoutes } from '../signing/routes.ts';
import { makeSecretWriter } from '../signing/secrets.ts';
import { makeSigningKeyStore } from '../signing/store.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import { makeAuditStore } from './audit/store.ts';
import { documentRoutes } from './document-routes.ts';
import { apiEnv } from './env.ts';
import type { HttpAnswer } from './problem.ts';
import { makeLimitRate } from './rate-limit.ts';
import { serve } from './serve.ts';
import type { HttpRequest, ServePorts } from './serve.ts';
import { makeReadCursorKey, makeRequestStore, makeTakeRequests } from './store.ts';

const env = readEnvironment(apiEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const organizations = makeOrganizationStore(client, env.CONFIG_TABLE);
const endpoints = makeEndpointStore(client, env.CONFIG_TABLE);
const eventTypes = makeEventTypeStore(client, env.CONFIG_TABLE);
const events = makeEventStore(client, env.LEDGER_TABLE, Date.now);
const publish = makePublish(new EventBridgeClient({}), env.BUS_NAME);
const sqs = new SQSClient({});
const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
const sendJob = makeSend(sqs, env.RECOVERY_QUEUE_URL);
const health = makeHealthStore(client, env.LEDGER_TABLE, Date.now);
const audit = makeAuditStore(client, env.CONFIG_TABLE);
const { RETENTION_DAYS: retentionDays } = env;

const signing: KeyPorts = {
  keys: makeSigningKeyStore(client, env.CONFIG_TABLE),
  createKey: makeCreateKey(new KMSClient({}), env.STAGE),
  now: Date.now,
};

const registration: RegisterPorts = {
  endpoints,
  secrets: makeSecretWriter(new SecretsManagerClient({}), env.SECRET_PREFIX, env.KEY_ARN),
  rules: {
    listEventTypes: eventTypes.list,
    target: targetRulesOf(env),
    retentionDays,
    endpointsMax: env.ENDPOINTS_PER_ORGANIZATION,
  },
  ensureKey: (organizationId) => ensureKey(signing, organizationId),
  chance: { newUuid: randomUUID, randomBytes: () => randomBytes(32) },
  now: Date.now,
};

const readSubscribers = makeReadSubscribers(client, env.CONFIG_TABLE);
const recovery: Pick<RecoveryRoutesPorts, 'jobs' | 'start' | 'circumstances'> = {
  jobs: makeJobStore(client, env.LEDGER_TABLE, Date.now),
  start: (message, delaySeconds) => sendJob(outgoingJob(message, delaySeconds)),
  circumstances: { now: Date.now, randomBytes: () => randomBytes(10), retentionDays },
};

const resumption: ResumePorts = { health, announce: publish, now: Date.now, log };

const routes: Route[] = [
  ...organizationRoutes({
    organizations,
    listPolicies: async (organizationId) => {
      const { endpoints } = await readSubscribers(organizationId);
      return endpoints.map(({ id: endpointId, policy }) => ({ endpointId, policy }));
    },
    now: Date.now,
    retentionDays,
  }),
  ...endpointRoutes({
    ...{ endpoints, health, registration, resumption },
    getOrganization: organizations.get,
  }),
  ...configurationRoutes({
    ...{ readSubscribers, registration, resumption, log },
    forgetHealth: health.forget,
    replaceOrganization: organizations.replace,
  }),
  ...certificateRoutes({ registration, getEndpoint: endpoints.get }),
  ...secretRoutes({ registration, getEndpoint: endpoints.get, announce: publish, log }),
  ...signingRoutes(signing),
  ...eventTypeRoutes({ eventTypes, now: Date.now }),
  ...eventRoutes({
    listEventTypes: eventTypes.list,
    listEvents: events.list,
    publish,
    now: Date.now,
    newUuid: randomUUID,
    schemas: env.EVENT_SCHEMAS,
  }),
  ...deliveryRoutes({
    getEndpoint: endpoints.get,
    readHealth: health.readLatest,
    getEvent: events.get,
    deliveries: makeDeliveryReader(client, env.LEDGER_TABLE, Date.now),
    send: (message) => send(outgoing(message, 0)),
  }),
  ...previewRoutes({
    readSubscribers,
    readHealth: health.read,
    readCatalogue: async () => catalogueOf(await eventTypes.list()),
    schemas: env.EVENT_SCHEMAS,
  }),
  ...missedRoutes({
    ...recovery,
    organizations,
    endpointsOf: async (organizationId) => (await readSubscribers(organizationId)).endpoints,
  }),
  ...recoveryRoutes({
    ...recovery,
    getEndpoint: endpoints.get,
    receives: receivesBy({
      readRecipient: makeReadRecipient(client, env.CONFIG_TABLE),
      readHealth: health.readLatest,
    }),
  }),
  ...auditRoutes({ listAudit: audit.list }),
];

const ports: ServePorts = {
  getOrganization: organizations.get,
  claimNames: { organization: env.ORGANIZATION_CLAIM, scope: env.SCOPE_CLAIM },
  now: Date.now,
  log,
  routes: [...routes, ...documentRoutes([...routes, testing])],
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
    audit: { entries: audit, now: Date.now, randomBytes: () => randomBytes(10), log },
  },
};

export const handler = middy<HttpRequest, HttpAnswer>()
  .use(requestLog())
  .handler((request) => withinTrace(process.env['_X_AMZN_TRACE_ID'], () => serve(ports, request)));
