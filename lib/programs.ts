import * as cognito from 'aws-cdk-lib/aws-cognito';

/** A program that gets tokens by its client's id and secret. */
export interface Program {
  readonly name: string;
  readonly client: cognito.UserPoolClient;
}

/**
 * A client for each program. Whose organization it acts for is a scope that only its client is allowed, so that
 * nothing the program sends can say otherwise.
 */
export function programClients(pool: cognito.UserPool, names: readonly string[]): readonly Program[] {
  if (names.length === 0) return [];
  const may = (scopeName: string, scopeDescription: string) =>
    new cognito.ResourceServerScope({ scopeName, scopeDescription });
  const [read, write, operate] = [
    may('read', 'Read'),
    may('write', 'Change'),
    may('operate', 'Every organization'),
  ] as const;
  const server = pool.addResourceServer('Webhooks', {
    identifier: 'webhooks',
    scopes: [read, write, operate],
  });
  const ids = names.filter((name) => name !== 'operator');
  const acts = new Map(ids.map((id) => [id, may(id, `Acts for ${id}`)]));
  const organizations =
    ids.length === 0
      ? undefined
      : pool.addResourceServer('Organizations', { identifier: 'organizations', scopes: [...acts.values()] });
  return names.map((name) => {
    const own = acts.get(name);
    const which =
      own === undefined || organizations === undefined
        ? cognito.OAuthScope.resourceServer(server, operate)
        : cognito.OAuthScope.resourceServer(organizations, own);
    const scopes = [read, write].map((scope) => cognito.OAuthScope.resourceServer(server, scope));
    const client = pool.addClient(`Program-${name}`, {
      userPoolClientName: name,
      generateSecret: true,
      // Cognito's defaults would let a user sign in by it, and write all that the pool lets be written.
      authFlows: { userSrp: false },
      writeAttributes: new cognito.ClientAttributes().withStandardAttributes({ email: true }),
      preventUserExistenceErrors: true,
      oAuth: { flows: { clientCredentials: true }, scopes: [...scopes, which] },
    });
    return { name, client };
  });
}
