import { z } from 'zod';
import type { Route } from './gateway-routes.ts';
import type { Claims, Identity } from './identity.ts';
import { AuthorizationCodes, loginRoutes } from './login-routes.ts';
import type { LocalUser } from './login-routes.ts';
import type { PoolClient, UserPool } from './resources/user-pools.ts';
import { tokenRoutes } from './token-routes.ts';

export interface LocalProgram {
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface SignIn {
  /** An access token for a user, as the pool of the template would issue it. */
  readonly issueToken: (user: LocalUser) => Promise<string>;
  readonly programs: readonly LocalProgram[];
  /** The sign-in page, OAuth's token endpoint, and what others need to verify tokens. */
  readonly routes: readonly Route[];
}

export interface SignInOptions {
  /** Undefined where the settings name another issuer. */
  readonly pool: UserPool | undefined;
  readonly identity: Identity;
  readonly audiences: readonly string[];
  /** What the functions are told under a name. */
  readonly variable: (name: string) => string;
  readonly nowMs: () => number;
}

/** Plays the issuer: a user pool that has each token completed by the function of the template, or one's own. */
export function createSignIn({ pool, identity, audiences, variable, nowMs }: SignInOptions): SignIn {
  if (pool === undefined) {
    const [aud] = audiences;
    return {
      issueToken: ({ expiresInSeconds, ...user }) =>
        identity.issueToken({
          claims: { ...claimsOfOwnIssuer(user, variable), aud },
          ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
        }),
      programs: [],
      routes: [],
    };
  }
  const codes = new AuthorizationCodes(nowMs);
  return {
    issueToken: async ({ expiresInSeconds, ...user }) =>
      identity.issueToken({
        claims: await claimsOfUser(pool, user),
        ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
      }),
    programs: pool.clients
      .filter(({ hasSecret }) => hasSecret)
      .map(({ id, name }) => ({ name: name ?? id, clientId: id, clientSecret: identity.secretOf(id) })),
    routes: [
      ...loginRoutes(pool, codes),
      ...tokenRoutes({
        ...{ pool, identity, codes },
        claimsOf: (client, scopes) => claimsOfProgram(pool, client, scopes),
        claimsOfUser: (user) => claimsOfUser(pool, user),
      }),
    ],
  };
}

const managing = ['webhooks:read', 'webhooks:write'];

function claimsOfOwnIssuer(
  { organizationId, group }: LocalUser,
  variable: SignInOptions['variable'],
): Claims {
  const scopes = { operators: [...managing, 'webhooks:operate'], administrators: managing };
  return {
    sub: organizationId ?? 'operator',
    ...(organizationId === undefined ? {} : { [variable('ORGANIZATION_CLAIM')]: organizationId }),
    [variable('SCOPE_CLAIM')]: (group === undefined ? ['webhooks:read'] : scopes[group]).join(' '),
  };
}

function claimsOfUser(pool: UserPool, { organizationId, group }: LocalUser): Promise<Claims> {
  const sub = organizationId ?? 'operator';
  const groups = group === undefined ? [] : [group];
  const console = pool.clients.find(({ hasSecret }) => !hasSecret);
  return complete(pool, {
    triggerSource: 'TokenGeneration_HostedAuth',
    userName: sub,
    clientId: console?.id ?? '',
    scopes: console?.scopes ?? [],
    request: {
      userAttributes: {
        sub,
        ...(organizationId === undefined ? {} : { 'custom:organizationId': organizationId }),
      },
      groupConfiguration: { groupsToOverride: groups, iamRolesToOverride: [], preferredRole: null },
    },
    claims: { sub, username: sub, ...(groups.length === 0 ? {} : { 'cognito:groups': groups }) },
  });
}

function claimsOfProgram(pool: UserPool, client: PoolClient, scopes: readonly string[]): Promise<Claims> {
  return complete(pool, {
    triggerSource: 'TokenGeneration_ClientCredentials',
    userName: client.id,
    clientId: client.id,
    scopes,
    request: {},
    claims: { sub: client.id },
  });
}

interface Asked {
  readonly triggerSource: string;
  readonly userName: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly request: object;
  readonly claims: Claims;
}

/** A scope holds no blank, and Cognito keeps some names for itself. */
const overrides = z.object({
  claimsToAddOrOverride: z.record(z.string(), z.unknown()),
  scopesToAdd: z.array(z.string().regex(/^(?!aws\.cognito)\S+$/)),
});
const answer = z.object({
  response: z.object({
    claimsAndScopeOverrideDetails: z.object({ accessTokenGeneration: overrides }),
  }),
});

/** Asks the function, by an event of version 3, and does what it says; its own claims no function can override. */
async function complete(pool: UserPool, asked: Asked): Promise<Claims> {
  const { triggerSource, userName, clientId, scopes } = asked;
  const event = {
    version: '3',
    triggerSource,
    region: pool.region,
    userPoolId: pool.id,
    userName,
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
    request: { ...asked.request, scopes },
    response: { claimsAndScopeOverrideDetails: null },
  };
  const { response } = answer.parse(await pool.completeToken.invoke(event));
  const { claimsToAddOrOverride, scopesToAdd } = response.claimsAndScopeOverrideDetails.accessTokenGeneration;
  return {
    ...claimsToAddOrOverride,
    ...asked.claims,
    client_id: clientId,
    token_use: 'access',
    version: 2,
    scope: [...new Set([...scopes, ...scopesToAdd])].join(' '),
  };
}
