import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { randomBytes } from 'node:crypto';
import { makePost } from '../../delivery/post.ts';
import { prepare } from '../../delivery/prepare.ts';
import { makeCountTest, makeReadRecipient, makeRecord } from '../../delivery/store.ts';
import { testRoutes } from '../../delivery/test-routes.ts';
import { targetRulesOf } from '../../endpoint/env.ts';
import { makeOrganizationStore } from '../../organization/store.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { makeDocumentClient } from '../../shared/store.ts';
import { makeReadSecret } from '../../signing/secrets.ts';
import type { HttpAnswer } from '../problem.ts';
import { serve } from '../serve.ts';
import type { HttpRequest, ServePorts } from '../serve.ts';
import { testEnv } from './env.ts';

const env = readEnvironment(testEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const readSecret = makeReadSecret(new SecretsManagerClient({}), env.SECRET_PREFIX);

const ports: ServePorts = {
  getOrganization: makeOrganizationStore(client, env.CONFIG_TABLE).get,
  organizationClaim: env.ORGANIZATION_CLAIM,
  now: Date.now,
  log,
  routes: testRoutes({
    readRecipient: makeReadRecipient(client, env.CONFIG_TABLE),
    sending: {
      countTest: makeCountTest(client, env.LEDGER_TABLE, Date.now),
      prepare: (endpoint, unsigned) => prepare({ readSecret }, endpoint, unsigned),
      post: makePost(),
      record: makeRecord(client, env.LEDGER_TABLE),
      circumstances: {
        now: Date.now,
        randomBytes: () => randomBytes(16),
        targetRules: targetRulesOf(env),
        retentionDays: env.RETENTION_DAYS,
        log,
      },
    },
  }),
};

export const handler = middy<HttpRequest, HttpAnswer>()
  .use(requestLog())
  .handler((request) => serve(ports, request));
