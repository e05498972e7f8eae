import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTidings } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;
beforeAll(async () => {
  tidings = await startTidings();
  await tidings.makeOrganization('org_demo');
  await tidings.makeOrganization('org_other');
});
afterAll(() => tidings.stop());

const endpoints = '/v1/organizations/org_demo/endpoints';
const wanted = { url: 'https://receiver.example.com/hook', eventTypes: ['*'] };
const tokenAnswer = z.object({
  access_token: z.string(),
  expires_in: z.literal(3600),
  token_type: z.literal('Bearer'),
});

function program(name: string) {
  const found = tidings.runtime.programs.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no program ${name}`);
  return found;
}

async function askForToken(form: Record<string, string>, authorization?: string) {
  const response = await fetch(`${tidings.runtime.api}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
    ...(authorization === undefined ? {} : { headers: { authorization } }),
  });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

async function tokenFor(name: string, more: Record<string, string> = {}): Promise<string> {
  const { clientId, clientSecret } = program(name);
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const { body } = await askForToken({ grant_type: 'client_credentials', ...more }, basic);
  return tokenAnswer.parse(body).access_token;
}

const statusOf = async (method: string, path: string, given: { token: string; body?: unknown }) =>
  (await tidings.call(method, path, given)).status;

describe('a user', () => {
  it('has a token with organization, plan and scopes, and no audience, as Cognito’s access tokens', async () => {
    const claims = decodeJwt(await tidings.tokenOf('org_demo'));
    expect(claims).toMatchObject({
      token_use: 'access',
      client_id: tidings.runtime.output('TokenAudience'),
      iss: tidings.runtime.output('TokenIssuer'),
      organizationId: 'org_demo',
      plan: 'enterprise',
      entitled: true,
      scope: 'openid email webhooks:read webhooks:write',
    });
    expect(claims).not.toHaveProperty('aud');
  });

  it('may do what his group may: read, manage his own, or operate', async () => {
    const { issueToken } = tidings.runtime;
    const reader = await issueToken({ organizationId: 'org_demo' });
    const administrator = await issueToken({ organizationId: 'org_demo', group: 'administrators' });
    const stranger = await issueToken({ organizationId: 'org_other', group: 'administrators' });
    const nobody = await issueToken({ group: 'administrators' });
    expect(await statusOf('GET', endpoints, { token: reader })).toBe(200);
    expect(await statusOf('POST', endpoints, { token: reader, body: wanted })).toBe(403);
    expect(await statusOf('POST', endpoints, { token: administrator, body: wanted })).toBe(201);
    expect(await statusOf('GET', endpoints, { token: stranger })).toBe(404);
    expect(await statusOf('GET', endpoints, { token: nobody })).toBe(404);
    expect(await statusOf('GET', '/v1/audit', { token: administrator })).toBe(403);
  });
});

describe('a program', () => {
  it('gets a token by its client’s id and secret, and acts for its organization alone', async () => {
    const token = await tokenFor('org_demo');
    expect(decodeJwt(token)).toMatchObject({
      sub: program('org_demo').clientId,
      organizationId: 'org_demo',
      entitled: true,
    });
    expect(await statusOf('POST', endpoints, { token, body: wanted })).toBe(201);
    expect(await statusOf('GET', '/v1/organizations/org_other/endpoints', { token })).toBe(404);
    expect(await statusOf('GET', '/v1/audit', { token })).toBe(403);
  });

  it('of the operator sets plans', async () => {
    const token = await tokenFor('operator');
    const body = { plan: 'enterprise' };
    expect(await statusOf('PUT', '/v1/organizations/org_new', { token, body })).toBeLessThan(300);
  });

  it('may ask for less, with its organization', async () => {
    const token = await tokenFor('org_demo', { scope: 'webhooks/read organizations/org_demo' });
    expect(await statusOf('GET', endpoints, { token })).toBe(200);
    expect(await statusOf('POST', endpoints, { token, body: wanted })).toBe(403);
    const less = await tokenFor('org_demo', { scope: 'webhooks/read' });
    expect(await statusOf('GET', endpoints, { token: less })).toBe(404);
  });

  it('can say who it is in the form, too', async () => {
    const { clientId: client_id, clientSecret: client_secret } = program('org_demo');
    const answer = await askForToken({ grant_type: 'client_credentials', client_id, client_secret });
    expect(answer.status).toBe(200);
    const wrong = { grant_type: 'client_credentials', client_id, client_secret: 'wrong' };
    expect(await askForToken(wrong)).toEqual({ status: 400, body: { error: 'invalid_client' } });
    const another = { grant_type: 'client_credentials', client_id: 'nobody', client_secret };
    expect(await askForToken(another)).toEqual({ status: 400, body: { error: 'invalid_client' } });
  });

  it.each([
    [{}, 'invalid_request'],
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
    [{ grant_type: 'client_credentials', scope: 'webhooks/operate' }, 'invalid_scope'],
    [{ grant_type: 'client_credentials', scope: 'organizations/org_other' }, 'invalid_scope'],
  ])('is refused %j as OAuth says: %s', async (form: Record<string, string>, error) => {
    const { clientId: client_id, clientSecret: client_secret } = program('org_demo');
    const answer = await askForToken({ ...form, client_id, client_secret });
    expect(answer).toEqual({ status: 400, body: { error } });
  });

  it('can be verified by anybody, with the published key', async () => {
    const issuer = tidings.runtime.output('TokenIssuer');
    const keys = new URL(`${tidings.runtime.api}${new URL(issuer).pathname}/.well-known/jwks.json`);
    const { payload } = await jwtVerify(await tokenFor('org_demo'), createRemoteJWKSet(keys), { issuer });
    expect(payload['organizationId']).toBe('org_demo');
  });
});
