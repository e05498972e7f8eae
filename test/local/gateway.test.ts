import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGateway } from '../../local/gateway.ts';
import type { Gateway } from '../../local/gateway.ts';
import type { Route } from '../../local/gateway-routes.ts';
import { createIdentity } from '../../local/identity.ts';
import type { Identity } from '../../local/identity.ts';

const someText: unknown = expect.any(String);
const someNumber: unknown = expect.any(Number);
const logTime: unknown = expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
const digits: unknown = expect.stringMatching(/^\d+$/);
const expected = { issuer: 'https://issuer.example/pool', audiences: ['client-1'] };
const authorizer = { ...expected, scopes: [] };
/** Answers with the event that it was given. */
const echo = (event: unknown) => Promise.resolve(event);

let gateway: Gateway;
let identity: Identity;
let routes: Route[];
let offsetMs = 0;
const nowMs = () => Date.now() + offsetMs;

beforeEach(async () => {
  offsetMs = 0;
  routes = [{ key: 'ANY /open/{proxy+}', invoke: echo }];
  identity = await createIdentity({ issuer: expected.issuer, nowMs });
  gateway = await startGateway({ routes, identity, port: 0, nowMs });
});
afterEach(() => gateway.stop());

const tokenWith = (claims: object, expiresInSeconds = 3600) =>
  identity.issueToken({ claims: { aud: 'client-1', ...claims }, expiresInSeconds });

describe('the event that a function gets', () => {
  it('has names in lower case, values joined by commas, and cookies apart', async () => {
    const headers = new Headers([
      ['X-Twice', 'a'],
      ['X-Twice', 'b'],
      ['Cookie', 'a=1; b=2'],
    ]);
    const event = await json('/open/x%20y?q=1&q=2&r=a%26b', { headers });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /open/{proxy+}',
      rawPath: '/open/x y',
      rawQueryString: 'q=1&q=2&r=a%26b',
      cookies: ['a=1', 'b=2'],
      headers: { 'x-twice': 'a, b' },
      queryStringParameters: { q: '1,2', r: 'a&b' },
      pathParameters: { proxy: 'x y' },
      requestContext: {
        http: { method: 'GET', path: '/open/x y', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
        requestId: someText,
        time: logTime,
        timeEpoch: someNumber,
      },
      isBase64Encoded: false,
    });
    expect(event).not.toHaveProperty('headers.cookie');
    expect(event).not.toHaveProperty('body');
  });

  it.each([
    ['application/json; charset=utf-8', Buffer.from('{"ä":1}'), { body: '{"ä":1}', isBase64Encoded: false }],
    ['application/octet-stream', Buffer.from([1, 2]), { body: 'AQI=', isBase64Encoded: true }],
    ['application/x-www-form-urlencoded', Buffer.from('a=b'), { body: 'YT1i', isBase64Encoded: true }],
    ['application/json', Buffer.from([0xff]), { body: '/w==', isBase64Encoded: true }],
  ])('has a body of %s as text or as base64', async (type, body, part) => {
    expect(
      await json('/open/x', {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { 'content-type': type },
      }),
    ).toMatchObject(part);
  });
});

describe('the answer', () => {
  it.each([
    ['an object', { a: 1 }, 200, 'application/json', '{"a":1}'],
    ['a string', 'plain', 200, 'application/json', 'plain'],
    [
      'a full answer',
      { statusCode: 201, headers: { 'X-A': 1 }, body: 'b' },
      201,
      'text/plain;charset=UTF-8',
      'b',
    ],
    [
      'a base64 body',
      { statusCode: 200, body: 'YT1i', isBase64Encoded: true },
      200,
      'text/plain;charset=UTF-8',
      'a=b',
    ],
    ['no content', { statusCode: 204 }, 204, null, ''],
    [
      'a malformed answer',
      { statusCode: 'x' },
      500,
      'application/json',
      '{"message":"Internal Server Error"}',
    ],
  ])('is made of %s', async (...[, result, status, type, body]) => {
    routes.push({ key: 'GET /made', invoke: () => Promise.resolve(result) });
    const answer = await fetch(`${gateway.url}/made`);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      status,
      type,
      body,
    ]);
  });

  it('carries every cookie', async () => {
    const cookies = ['a=1', 'b=2; Secure'];
    routes.push({ key: 'GET /made', invoke: () => Promise.resolve({ statusCode: 200, cookies }) });
    expect((await fetch(`${gateway.url}/made`)).headers.getSetCookie()).toEqual(cookies);
  });

  it('is 500 and says no more when the function fails', async () => {
    routes.push({ key: 'GET /fails', invoke: () => Promise.reject(new Error('secret detail')) });
    const answer = await fetch(`${gateway.url}/fails`);
    expect([answer.status, await answer.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
  });

  it('is 404 without a route and 413 above ten megabytes', async () => {
    const none = await fetch(`${gateway.url}/nowhere`);
    expect([none.status, await none.text()]).toEqual([404, '{"message":"Not Found"}']);
    const large = await fetch(`${gateway.url}/open/x`, {
      method: 'POST',
      body: new Uint8Array(10 * 1024 * 1024 + 1),
    });
    expect(large.status).toBe(413);
  });

  it('is 431 when request line and headers are above ten kilobytes', async () => {
    routes.push({ key: 'GET /open/{proxy+}', invoke: echo });
    const withHeader = (bytes: number) =>
      fetch(`${gateway.url}/open/x`, { headers: { 'x-long': 'x'.repeat(bytes) } });
    expect((await withHeader(9_500)).status).toBe(200);
    const refused = await withHeader(10_240);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([431, 'application/json']);
    expect(await refused.json()).toEqual({ message: 'Request Header Fields Too Large' });
  });
});

it.each([
  ['GET', '/v1/organizations/o/keys', 'GET /v1/organizations/{o}/keys'],
  ['POST', '/v1/organizations/o/keys', 'ANY /v1/{proxy+}'],
  ['GET', '/v1/fixed', 'GET /v1/fixed'],
  ['PUT', '/v1/fixed', 'ANY /v1/fixed'],
  ['GET', '/v1/other', 'GET /v1/{any}'],
  ['GET', '/v1/a/b', 'ANY /v1/{proxy+}'],
  ['GET', '/', '$default'],
])('%s %s takes the most specific route, %s', async (method, path, key) => {
  const keys = ['$default', 'ANY /v1/{proxy+}', 'GET /v1/{any}', 'ANY /v1/fixed', 'GET /v1/fixed'];
  for (const one of [...keys, 'GET /v1/organizations/{o}/keys']) routes.push({ key: one, invoke: echo });
  expect(await json(path, { method })).toMatchObject({ routeKey: key });
});

describe('a route with an authorizer', () => {
  beforeEach(() => {
    routes.push({ key: 'ANY /v1/{proxy+}', invoke: echo, authorizer });
    routes.push({
      key: 'GET /scoped',
      invoke: echo,
      authorizer: { ...expected, scopes: ['webhooks:operate'] },
    });
  });
  const ask = (path: string, authorization: string) =>
    fetch(`${gateway.url}${path}`, { headers: { authorization } });

  it('gives the function the claims as strings', async () => {
    const token = await tokenWith({ organizationId: 'org_1', scope: 'webhooks:read webhooks:write' });
    const event: unknown = await (await ask('/v1/x', `Bearer ${token}`)).json();
    expect(event).toMatchObject({
      requestContext: {
        authorizer: {
          jwt: {
            claims: {
              organizationId: 'org_1',
              scope: 'webhooks:read webhooks:write',
              iss: expected.issuer,
              aud: 'client-1',
              exp: digits,
            },
            scopes: null,
          },
        },
      },
    });
  });

  it('refuses a request without a token', async () => {
    const answer = await fetch(`${gateway.url}/v1/x`);
    expect([answer.status, await answer.text()]).toEqual([401, '{"message":"Unauthorized"}']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('refuses a token of another issuer, another audience or another key', async () => {
    const elsewhere = await createIdentity({ issuer: 'https://else.example', nowMs });
    const stranger = await createIdentity({ issuer: expected.issuer, nowMs });
    const tokens = [
      await elsewhere.issueToken({ claims: { aud: 'client-1' } }),
      await stranger.issueToken({ claims: { aud: 'client-1' } }),
      await identity.issueToken({ claims: { aud: 'client-2' } }),
      // A client's id counts only where there is no audience.
      await identity.issueToken({ claims: { aud: 'client-2', client_id: 'client-1' } }),
      await identity.issueToken({ claims: {} }),
    ];
    for (const token of tokens) {
      const answer = await ask('/v1/x', `Bearer ${token}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  it('refuses a token that has expired, that was altered, or that is none', async () => {
    const token = await tokenWith({}, 60);
    const [head = '', , signature = ''] = token.split('.');
    const altered = `${head}.${Buffer.from('{"iss":"x","exp":9999999999}').toString('base64url')}.${signature}`;
    offsetMs = 61_000;
    const reasons = [
      [token, 'the token has expired'],
      [altered, 'the token was altered, or signed with a key that is not known'],
      ['nonsense', 'the token is no JWT signed with RS256'],
    ] as const;
    for (const [bad, reason] of reasons) {
      const answer = await ask('/v1/x', `Bearer ${bad}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain(`error_description="${reason}"`);
    }
  });

  it('asks for one of its scopes', async () => {
    const poor = await tokenWith({ scope: 'webhooks:read webhooks:write' });
    const rich = await tokenWith({ scope: 'webhooks:operate' });
    expect((await ask('/scoped', `Bearer ${poor}`)).status).toBe(403);
    expect((await ask('/scoped', rich)).status).toBe(200);
  });
});

async function json(path: string, init: RequestInit): Promise<unknown> {
  return (await fetch(`${gateway.url}${path}`, init)).json();
}
