import middy from '@middy/core';
import { LRUCache } from 'lru-cache';
import type { ApiGatewayEvent } from '../../../../verify/verify.ts';
import { makeDocumentClient, makeSecretsManagerClient } from '../../../shared/clients.ts';
import { readEnvironment } from '../../../shared/environment.ts';
import { makeLog } from '../../../shared/request-log.ts';
import { makeReadSecret } from '../../../signing/secrets.ts';
import { liveVersions } from '../../endpoint.ts';
import { makeReadSubscribers } from '../../store.ts';
import { canaryOrganization } from '../env.ts';
import { receiveEnv } from './env.ts';
import { receiveCanary } from './receive-canary.ts';
import type { Answer, ReceivePorts } from './receive-canary.ts';

const env = readEnvironment(receiveEnv, process.env);
const { log, requestLog } = makeLog();
const readSubscribers = makeReadSubscribers(makeDocumentClient(), env.CONFIG_TABLE);
const readSecret = makeReadSecret(makeSecretsManagerClient(), env.SECRET_PREFIX);

async function readLiveSecrets(): Promise<readonly string[]> {
  const { endpoints } = await readSubscribers(canaryOrganization);
  const versions = endpoints.flatMap((endpoint) =>
    liveVersions(endpoint, Date.now()).map((version) => ({ endpointId: endpoint.id, version })),
  );
  return Promise.all(
    versions.map(({ endpointId, version }) =>
      readSecret({ organizationId: canaryOrganization, endpointId, part: 'signing' }, version),
    ),
  );
}

// As long as the sender keeps the configuration.
const kept = new LRUCache<string, readonly string[]>({ max: 1, ttl: 30_000, fetchMethod: readLiveSecrets });
const ports: ReceivePorts = { readSecrets: () => kept.forceFetch('live'), now: Date.now, log };

export const handler = middy<ApiGatewayEvent, Answer>()
  .use(requestLog())
  .handler((request) => receiveCanary(ports, request));
