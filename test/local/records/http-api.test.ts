import { afterAll, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { startGateway } from '../../../local/gateway.ts';
import type { Gateway } from '../../../local/gateway.ts';
import { createIdentity } from '../../../local/identity.ts';
import type { Identity } from '../../../local/identity.ts';
import { recorded } from './recorded.ts';

const issuer = 'https://issuer.example/pool';
const authorizer = { issuer, audiences: ['client-1'], scopes: [] };
let gateway: Gateway;
let identity: Identity;
beforeAll(async () => {
  identity = await createIdentity({ issuer, nowMs: Date.now });
  const routes = [
    { key: 'ANY /v1/{proxy+}', invoke: (event: unknown) => Promise.resolve(event), authorizer },
  ];
  gateway = await startGateway({ routes, identity, port: 0, nowMs: Date.now });
});
afterAll(() => gateway.stop());

const event = z.object({
  rawPath: z.string(),
  requestContext: z.object({
    http: z.object({ path: z.string() }),
    authorizer: z.object({ jwt: z.object({ claims: z.record(z.string(), z.string()) }) }),
  }),
});

async function ask(path: string, claims: object = {}) {
  const token = await identity.issueToken({ claims: { aud: 'client-1', ...claims } });
  const answer = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${token}` } });
  return event.parse(await answer.json());
}

recorded('http-null-claim', async () => {
  const { requestContext } = await ask('/v1/x', { plan: null, organizationId: 'org_1' });
  expect(requestContext.authorizer.jwt.claims).not.toHaveProperty('plan');
  expect(requestContext.authorizer.jwt.claims).toHaveProperty('organizationId', 'org_1');
});

recorded('http-claims-are-text', async () => {
  const { requestContext } = await ask('/v1/x', { scp: ['a', 'b'], entitled: true, level: 3 });
  expect(requestContext.authorizer.jwt.claims).toMatchObject({ scp: '[a b]', entitled: 'true', level: '3' });
});

recorded('http-question-mark', async () => {
  const { rawPath, requestContext } = await ask('/v1/organizations/org%3F1/endpoints?a=b');
  expect([rawPath, requestContext.http.path]).toEqual(['/v1/organizations/org', '/v1/organizations/org']);
});
