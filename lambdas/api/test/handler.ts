import middy from '@middy/core';
import { randomBytes } from 'node:crypto';
import { makePost } from '../../request/post.ts';
import { prepare } from '../../request/prepare.ts';
import type { PreparePorts } from '../../request/prepare.ts';
import { makeRecord } from '../../delivery/record/store.ts';
import { makeCountTest, makeReadRecipient } from '../../delivery/store.ts';
import { testRoutes } from '../../delivery/test-routes.ts';
import { withinTrace } from '../../shared/trace.ts';
import { targetRulesOf } from '../../endpoint/env.ts';
import { makeOrganizationStore } from '../../organization/store.ts';
import { makeDocumentClient, makeKmsClient, makeSecretsManagerClient } from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { makeBatchedRead } from '../../shared/store.ts';
import { makeSignDigest } from '../../signing/keys.ts';
import { makeReadSecret } from '../../signing/secrets.ts';
import { makeSigningKeyStore } from '../../signing/store.ts';
import type { HttpAnswer } from '../problem.ts';
import { makeLimitRate } from '../rate-limit.ts';
import { serve } from '../serve.ts';
import type { HttpRequest, ServePorts } from '../serve.ts';
import { makeTakeRequests } from '../store.ts';
import { testEnv } from './env.ts';

const env = readEnvironment(testEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();
const preparation: PreparePorts = {
  readSecret: makeReadSecret(makeSecretsManagerClient(), env.SECRET_PREFIX),
  // A test is seldom, and shows what was just changed.
  readSigningKeys: makeSigningKeyStore(client, env.CONFIG_TABLE).list,
  signDigest: makeSignDigest(makeKmsClient()),
  issuer: env.ISSUER,
  now: Date.now,
};

const ports: ServePorts = {
  getOrganization: makeOrganizationStore(client, env.CONFIG_TABLE).get,
  claimNames: { organization: env.ORGANIZATION_CLAIM, scope: env.SCOPE_CLAIM },
  now: Date.now,
  log,
  limitRate: makeLimitRate({
    take: makeTakeRequests(client, env.LEDGER_TABLE),
    requestsPerMinute: env.REQUESTS_PER_MINUTE,
    now: Date.now,
  }),
  routes: testRoutes({
    readRecipient: makeReadRecipient(makeBatchedRead(client, env.CONFIG_TABLE)),
    sending: {
      countTest: makeCountTest(client, env.LEDGER_TABLE, Date.now),
      prepare: (endpoint, unsigned) => prepare(preparation, endpoint, unsigned),
      post: makePost(),
      record: makeRecord(client, env.LEDGER_TABLE, Date.now),
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
  .handler((request) => withinTrace(process.env['_X_AMZN_TRACE_ID'], () => serve(ports, request)));
