import { z } from 'zod';
import { askedScopes, formOf } from './form.ts';
import type { Route } from './gateway-routes.ts';
import type { Claims, Identity } from './identity.ts';
import type { AuthorizationCodes, LocalUser } from './login-routes.ts';
import type { PoolClient, UserPool } from './resources/user-pools.ts';

export interface TokenRoutesOptions {
  readonly pool: UserPool;
  readonly identity: Identity;
  readonly codes: AuthorizationCodes;
  readonly claimsOf: (client: PoolClient, scopes: readonly string[]) => Promise<Claims>;
  readonly claimsOfUser: (user: LocalUser) => Promise<Claims>;
}

/** Seconds that a token lives, as the pool's default is. */
const tokenSeconds = 3600;

/**
 * What stands on the pool's domain, here on the gateway: the token endpoint, and the public keys.
 *
 * @see https://datatracker.ietf.org/doc/html/rfc6749#section-4
 */
export function tokenRoutes(options: TokenRoutesOptions): readonly Route[] {
  const { pool, identity } = options;
  return [
    { key: 'POST /oauth2/token', invoke: (event) => answerToken(options, event) },
    {
      key: `GET /${pool.id}/.well-known/jwks.json`,
      invoke: () => Promise.resolve(json(200, identity.keySet)),
    },
  ];
}

const tokenRequest = z.object({
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});
type TokenRequest = z.output<typeof tokenRequest>;

async function answerToken(options: TokenRoutesOptions, event: unknown) {
  const { pool, identity } = options;
  const request = tokenRequest.parse(event);
  const form = formOf(request);
  const { id, secret } = credentialsOf(request, form);
  const client = pool.clients.find((one) => one.id === id);
  // 400 where the RFC would allow 401, as Cognito answers.
  if (client === undefined || (client.hasSecret && secret !== identity.secretOf(client.id)))
    return json(400, { error: 'invalid_client' });
  const claims = await claimsFor(options, client, form);
  if (typeof claims === 'string') return json(400, { error: claims });
  const token = await identity.issueToken({ claims, expiresInSeconds: tokenSeconds });
  return json(200, { access_token: token, expires_in: tokenSeconds, token_type: 'Bearer' });
}

/** What the token says, or OAuth's word for what is wrong with what was asked. */
async function claimsFor(
  { codes, claimsOf, claimsOfUser }: TokenRoutesOptions,
  client: PoolClient,
  form: URLSearchParams,
): Promise<Claims | string> {
  const grant = form.get('grant_type');
  if (grant === null) return 'invalid_request';
  if (grant === 'authorization_code') {
    const shown = { code: form.get('code'), redirectUri: form.get('redirect_uri') };
    const user = codes.redeem({ ...shown, clientId: client.id, verifier: form.get('code_verifier') });
    return user === undefined ? 'invalid_grant' : claimsOfUser(user);
  }
  if (grant !== 'client_credentials') return 'unsupported_grant_type';
  if (!client.flows.includes(grant)) return 'unauthorized_client';
  const asked = askedScopes(form);
  if (asked.some((scope) => !client.scopes.includes(scope))) return 'invalid_scope';
  return claimsOf(client, asked.length === 0 ? client.scopes : asked);
}

/** By `Authorization: Basic`, or in the form. */
function credentialsOf({ headers }: TokenRequest, form: URLSearchParams) {
  const [scheme = '', encoded = ''] = (headers['authorization'] ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic')
    return { id: form.get('client_id'), secret: form.get('client_secret') };
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function json(statusCode: number, body: unknown) {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  };
}
