import { randomUUID } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.ts';

/** Makes two endpoints, publishes an event, reads a list page by page, and tells what a refusal says. */

type Schemas = components['schemas'];

const { TIDINGS_API = '', TIDINGS_TOKEN = '', TIDINGS_ORGANIZATION = '' } = process.env;
const client = createClient<paths>({
  baseUrl: TIDINGS_API,
  headers: { authorization: `Bearer ${TIDINGS_TOKEN}` },
});
const path = { organizationId: TIDINGS_ORGANIZATION };

async function makeEndpoint(wanted: Schemas['NewEndpoint']): Promise<Schemas['CreatedEndpoint']> {
  const { data, error } = await client.POST('/v1/organizations/{organizationId}/endpoints', {
    // Sent again with the same key after a failure, the request makes no second endpoint.
    params: { path, header: { 'Idempotency-Key': randomUUID() } },
    body: wanted,
  });
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

async function publish(event: Schemas['NewEvent']): Promise<string> {
  const { data, error } = await client.POST('/v1/organizations/{organizationId}/events', {
    params: { path },
    body: event,
  });
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data.id;
}

/** All endpoints, however many pages they are on. */
async function* pagesOfEndpoints(limit: number): AsyncGenerator<readonly Schemas['Endpoint'][]> {
  let cursor: string | null | undefined;
  do {
    const query = { limit, ...(cursor == null ? {} : { cursor }) };
    const { data, error } = await client.GET('/v1/organizations/{organizationId}/endpoints', {
      params: { path, query },
    });
    if (data === undefined) throw new Error(JSON.stringify(error));
    yield data.data;
    cursor = data.nextCursor;
  } while (cursor !== null);
}

/** What was wrong with a URL: a code can be switched on, and only one that the operation has. */
async function faultOf(url: string): Promise<string> {
  const { error } = await client.POST('/v1/organizations/{organizationId}/endpoints', {
    params: { path },
    body: { url },
  });
  if (error === undefined || !('code' in error)) return 'something else';
  switch (error.code) {
    case 'https_required':
      return `not https: ${error.detail}`;
    case 'target_not_allowed':
    case 'invalid_url':
      return `no good URL: ${error.detail}`;
    default:
      return error.detail;
  }
}

const [first, second] = [
  await makeEndpoint({
    name: 'billing',
    url: 'https://hooks.example.com/billing',
    eventTypes: ['pipeline.*'],
  }),
  await makeEndpoint({ name: 'audit', url: 'https://hooks.example.com/audit', categories: ['governance'] }),
];
const event = await publish({ type: 'pipeline.run.failed', data: { runId: 77 } });
const names: (string | undefined)[][] = [];
for await (const endpoints of pagesOfEndpoints(1)) names.push(endpoints.map(({ name }) => name));

console.log(
  JSON.stringify({
    secrets: [first.secret, second.secret].map((secret) => secret.slice(0, 'whsec_'.length)),
    event,
    pages: names,
    fault: await faultOf('http://hooks.example.com/billing'),
  }),
);
