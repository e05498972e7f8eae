import middy from '@middy/core';
import { makeOrganizationStore } from '../../organization/store.ts';
import { makeDocumentClient } from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { completeToken } from './complete-token.ts';
import { tokenEnv } from './env.ts';

const env = readEnvironment(tokenEnv, process.env);
const { log, requestLog } = makeLog();
const { get: getOrganization } = makeOrganizationStore(makeDocumentClient(), env.CONFIG_TABLE);

export const handler = middy<unknown, unknown>()
  .use(requestLog())
  .handler((event) =>
    completeToken({ getOrganization, organizationClaim: env.ORGANIZATION_CLAIM, log }, event),
  );
