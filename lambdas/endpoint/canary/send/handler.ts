import middy from '@middy/core';
import { randomBytes, randomUUID } from 'node:crypto';
import { makePublish } from '../../../event/bus.ts';
import { makeOrganizationStore } from '../../../organization/store.ts';
import {
  makeDocumentClient,
  makeEventBridgeClient,
  makeSecretsManagerClient,
} from '../../../shared/clients.ts';
import { readEnvironment } from '../../../shared/environment.ts';
import { makeLog } from '../../../shared/request-log.ts';
import { makeSecretWriter } from '../../../signing/secrets.ts';
import { targetRulesOf } from '../../env.ts';
import { makeEndpointStore, makeReadSubscribers } from '../../store.ts';
import { sendEnv } from './env.ts';
import { sendCanary } from './send-canary.ts';
import type { SendPorts } from './send-canary.ts';

const env = readEnvironment(sendEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();

const ports: SendPorts = {
  readSubscribers: makeReadSubscribers(client, env.CONFIG_TABLE),
  replaceOrganization: makeOrganizationStore(client, env.CONFIG_TABLE).replace,
  registration: {
    endpoints: makeEndpointStore(client, env.CONFIG_TABLE),
    secrets: makeSecretWriter(makeSecretsManagerClient(), env.SECRET_PREFIX, env.KEY_ARN),
    rules: {
      // Its only type is built in.
      listEventTypes: () => Promise.resolve([]),
      target: targetRulesOf(env),
      retentionDays: env.RETENTION_DAYS,
      endpointsMax: 1,
    },
    // It signs by a secret.
    ensureKey: () => Promise.resolve(),
    chance: { newUuid: randomUUID, randomBytes: () => randomBytes(32) },
    now: Date.now,
  },
  publish: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  log,
};

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(() => sendCanary(ports, env.CANARY_URL).then(() => undefined));
