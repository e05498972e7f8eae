import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { TokenEnv } from '../lambdas/api/token/env.ts';
import { HandlerFunction } from './handler-function.ts';
import { programClients } from './programs.ts';
import { itemsOf, nameOf } from './settings.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

export interface IdentityProps {
  readonly settings: Settings;
  readonly storage: Storage;
  /** Host name of the API, where the console is. */
  readonly ownHost: string;
}

/** Where `npm run sign-in` listens. Cognito compares addresses as text, port and all, and takes `http` for localhost only. */
const terminal = 'http://localhost:17417/signed-in';

/** Who signs the bearer tokens: the issuer named in the settings, or a Cognito user pool of the stack's. */
export class Identity extends Construct {
  public readonly issuer: string;
  /** Whom tokens may be for; of the pool's, the first is the console's client, if people may sign in. */
  public readonly audiences: readonly string[];
  /** What people and programs must know to sign in. */
  public readonly outputs: Readonly<Record<string, string>>;

  public constructor(scope: Construct, id: string, props: IdentityProps) {
    super(scope, id);
    const { settings } = props;
    if (settings.issuer !== undefined && settings.audience !== undefined) {
      this.issuer = settings.issuer;
      this.audiences = [settings.audience];
      this.outputs = { TokenAudience: settings.audience };
      return;
    }
    const pool = this.userPool(props);
    const console = settings.console ? this.consoleClient(pool, props) : undefined;
    const programs = programClients(pool, itemsOf(settings.programs));
    const domain = pool.addDomain('Domain', {
      // Names of domains are one room for all accounts of a region.
      cognitoDomain: { domainPrefix: `${nameOf(settings.stage)}-${Stack.of(this).account}` },
      managedLoginVersion: cognito.ManagedLoginVersion.NEWER_MANAGED_LOGIN,
    });
    this.issuer = `https://cognito-idp.${Stack.of(this).region}.amazonaws.com/${pool.userPoolId}`;
    const clients = [...(console === undefined ? [] : [console]), ...programs.map(({ client }) => client)];
    this.audiences = clients.map((client) => client.userPoolClientId);
    const named = programs.map(({ name, client }) => `${name}=${client.userPoolClientId}`);
    this.outputs = {
      UserPoolId: pool.userPoolId,
      ...(console === undefined
        ? {}
        : { TokenAudience: console.userPoolClientId, SignInUrl: signInUrl(domain, console) }),
      TokenUrl: `${domain.baseUrl()}/oauth2/token`,
      ...(named.length === 0 ? {} : { Programs: named.join(' ') }),
    };
  }

  private userPool(props: IdentityProps): cognito.UserPool {
    const pool = new cognito.UserPool(this, 'Users', {
      signInAliases: { email: true },
      selfSignUpEnabled: false,
      accountRecovery: cognito.AccountRecovery.EMAIL_ONLY,
      // Version 3 of the function below, which programs need too, belongs to this plan.
      featurePlan: cognito.FeaturePlan.ESSENTIALS,
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
      },
      mfa: cognito.Mfa.REQUIRED,
      mfaSecondFactor: { sms: false, otp: true },
      customAttributes: { organizationId: new cognito.StringAttribute({ mutable: true }) },
      deletionProtection: true,
      // As of the tables: what is protected would fail the rollback of a creation.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(pool).acknowledge({
      id: 'AwsSolutions::AwsSolutions-COG8',
      reason:
        'The plus plan is billed per user: a deployment that wants its threat protection names its own issuer.',
    });
    pool.addGroup('Operators', { groupName: 'operators', description: 'May manage every organization' });
    pool.addGroup('Administrators', {
      groupName: 'administrators',
      description: 'May manage their own organization; who is in no group may read it',
    });
    pool.addTrigger(
      cognito.UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
      this.tokenFunction(props),
      cognito.LambdaVersion.V3_0,
    );
    return pool;
  }

  private tokenFunction({ settings, storage }: IdentityProps): HandlerFunction {
    const environment: TokenEnv = {
      CONFIG_TABLE: storage.config.tableName,
      ORGANIZATION_CLAIM: settings.organizationClaim,
    };
    const token = new HandlerFunction(this, 'Token', {
      feature: 'api/token',
      description: 'Tidings: says in each token whose it is and what it may',
      // Cognito waits no longer.
      timeoutSeconds: 5,
      memoryMb: 512,
      environment,
      key: storage.key,
    });
    token.allow(['dynamodb:GetItem'], storage.config.tableArn);
    token.allow(['kms:Decrypt'], storage.key.keyArn);
    return token;
  }

  private consoleClient(
    pool: cognito.UserPool,
    { settings, ownHost }: IdentityProps,
  ): cognito.UserPoolClient {
    const given = itemsOf(settings.consoleUrls);
    const urls = given.length > 0 ? given : [`https://${ownHost}/console`];
    const client = pool.addClient('Console', {
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        // What a user may is decided by his groups, so no client can ask for more.
        scopes,
        // A console's sign-in leads back to it, a terminal's to `npm run sign-in`.
        callbackUrls: [...urls, terminal],
        logoutUrls: urls,
      },
      // Whose organization a user belongs to is for the operator to say.
      writeAttributes: new cognito.ClientAttributes().withStandardAttributes({ email: true }),
      preventUserExistenceErrors: true,
    });
    // Without a style the managed login has no pages.
    new cognito.CfnManagedLoginBranding(this, 'Branding', {
      userPoolId: pool.userPoolId,
      clientId: client.userPoolClientId,
      useCognitoProvidedValues: true,
    });
    return client;
  }
}

const scopes = [cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL];

/** The sign-in page itself: of a domain without a path, Cognito shows nothing. */
function signInUrl(domain: cognito.UserPoolDomain, client: cognito.UserPoolClient): string {
  const query = new URLSearchParams({
    redirect_uri: terminal,
    scope: scopes.map(({ scopeName }) => scopeName).join(' '),
  });
  // The id is known when it is deployed: it must not be percent-encoded before.
  return `${domain.baseUrl()}/login?response_type=code&client_id=${client.userPoolClientId}&${query.toString()}`;
}
