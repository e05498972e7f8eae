import { Stack, Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { ApiEnv } from '../lambdas/api/env.ts';
import type { TargetEnv } from '../lambdas/endpoint/env.ts';
import { requestSecondsMax, throttleOf } from './api-bounds.ts';
import type { Bounded } from './api-bounds.ts';
import { accessLog } from './api-log.ts';
import { restRoute } from './api-rest.ts';
import { PermittedAlready } from './api-route.ts';
import type { PublicRoute, ServedRoute } from './api-route.ts';
import { HandlerFunction } from './handler-function.ts';
import type { Identity } from './identity.ts';
import { nameOf } from './settings.ts';
import type { Settings } from './settings.ts';
import { allowSecrets } from './secrets.ts';
import { allowMakingKeys } from './signing.ts';
import { Storage } from './storage.ts';

export interface ApiProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly identity: Identity;
  readonly bus: EventBus;
  readonly retries: sqs.Queue;
  readonly recovery: sqs.Queue;
  readonly secretPrefix: string;
  readonly receivers: TargetEnv;
}

const keySetPath = '/v1/organizations/{organizationId}/.well-known/jwks.json';

/** The HTTP API by which organizations are managed; every route below `/v1` needs a bearer token. */
export class Api extends Construct {
  public readonly url: string;
  /** Without scheme. */
  public readonly host: string;
  private readonly http: apigateway.HttpApi;
  private readonly reserved: number;
  private readonly routes: {
    readonly route: apigateway.HttpRoute;
    readonly key: string;
    readonly bounded: Bounded;
  }[] = [];
  private stage: apigateway.CfnStage | undefined;
  private readonly authorizer: HttpJwtAuthorizer;

  public constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const { settings, identity } = props;
    const handler = this.handlerFunction(props);
    this.http = new apigateway.HttpApi(this, 'Http', {
      apiName: nameOf(settings.stage),
      description: 'Tidings: organizations, endpoints, events, deliveries',
      createDefaultStage: false,
    });
    this.authorizer = new HttpJwtAuthorizer('Tokens', identity.issuer, {
      jwtAudience: [...identity.audiences],
    });
    this.reserved = settings.apiConcurrency;
    this.serve({ method: apigateway.HttpMethod.ANY, path: '/v1/{proxy+}', bounded: 'operations' }, handler);
    // Receivers have no token. Without a route of its own HEAD would be taken by the operations', and asked for one.
    const keySet = {
      id: 'KeySet',
      reason:
        'A key set is public by its purpose: receivers fetch it to verify, and it holds public keys only.',
    };
    this.servePublicly(keySetPath, handler, { ...keySet, bounded: 'keySet' });
    const method = apigateway.HttpMethod.HEAD;
    this.servePublicly(keySetPath, handler, { ...keySet, bounded: 'keySetHead', method });
    this.servePublicly('/openapi.json', handler, {
      id: 'Description',
      bounded: 'description',
      reason:
        'The description of the API is the same for everybody, and is read by tools that have no token.',
    });
    this.servePublicly('/reference', handler, {
      id: 'Reference',
      bounded: 'reference',
      reason: 'The same description as a page, for people who have no token yet.',
    });
    this.bound(restRoute(this, this.http, handler), '$default', 'rest');
    const stage = new apigateway.HttpStage(this, 'Stage', {
      httpApi: this.http,
      stageName: '$default',
      autoDeploy: true,
      throttle: throttleOf('operations', this.reserved),
      accessLogSettings: accessLog(this, settings.stage),
    });
    if (stage.node.defaultChild instanceof apigateway.CfnStage) this.stage = stage.node.defaultChild;
    this.boundRoutes();
    this.url = stage.url;
    const { region, urlSuffix } = Stack.of(this);
    this.host = `${this.http.apiId}.execute-api.${region}.${urlSuffix}`;
  }

  /** Has a function answer the requests of a route that takes a bearer token. */
  public serve({ method, path, bounded }: ServedRoute, handler: HandlerFunction): void {
    const [route] = this.http.addRoutes({
      path,
      methods: [method],
      integration: new HttpLambdaIntegration(handler.node.id, handler),
      authorizer: this.authorizer,
    });
    this.bound(route, `${method} ${path}`, bounded);
  }

  private bound(route: apigateway.HttpRoute | undefined, key: string, bounded: Bounded): void {
    if (route === undefined) return;
    this.routes.push({ route, key, bounded });
    this.boundRoutes();
  }

  /** By routes and not for the stage: so a flood of what takes no token holds up nobody who has one. */
  private boundRoutes(): void {
    const { stage, reserved } = this;
    if (stage === undefined) return;
    stage.routeSettings = Object.fromEntries(
      this.routes.map(({ key, bounded }) => {
        const { rateLimit: ThrottlingRateLimit, burstLimit: ThrottlingBurstLimit } = throttleOf(
          bounded,
          reserved,
        );
        return [key, { ThrottlingRateLimit, ThrottlingBurstLimit }];
      }),
    );
    // CloudFormation makes a stage beside its routes, and the settings of a route that is not there yet are refused.
    for (const { route } of this.routes) stage.node.addDependency(route);
  }

  private servePublicly(
    path: string,
    handler: HandlerFunction,
    { id, bounded, reason, method = apigateway.HttpMethod.GET }: PublicRoute,
  ): void {
    const isFirst = method === apigateway.HttpMethod.GET;
    const integration = isFirst ? new HttpLambdaIntegration(id, handler) : new PermittedAlready(id, handler);
    const routes = this.http.addRoutes({ path, methods: [method], integration });
    this.bound(routes[0], `${method} ${path}`, bounded);
    for (const route of routes)
      Validations.of(route).acknowledge({ id: 'AwsSolutions::AwsSolutions-APIG4', reason });
  }

  private handlerFunction(props: ApiProps): HandlerFunction {
    const { settings, storage, bus, retries, recovery, secretPrefix } = props;
    const environment: ApiEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      RETRIES_QUEUE_URL: retries.queueUrl,
      RECOVERY_QUEUE_URL: recovery.queueUrl,
      BUS_NAME: bus.eventBusName,
      SECRET_PREFIX: secretPrefix,
      STAGE: settings.stage,
      KEY_ARN: storage.key.keyArn,
      RETENTION_DAYS: String(settings.retentionDays),
      ORGANIZATION_CLAIM: settings.organizationClaim,
      SCOPE_CLAIM: settings.scopeClaim,
      REQUESTS_PER_MINUTE: String(settings.requestsPerMinute),
      EVENT_SCHEMAS: settings.eventSchemas,
      ENDPOINTS_PER_ORGANIZATION: String(settings.endpointsPerOrganization),
      ...props.receivers,
    };
    const handler = new HandlerFunction(this, 'Handler', {
      feature: 'api',
      description: 'Tidings: the HTTP API',
      timeoutSeconds: requestSecondsMax,
      reservedExecutions: settings.apiConcurrency,
      memoryMb: 512,
      environment,
      key: storage.key,
    });
    handler.allow(
      [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
      ],
      storage.config.tableArn,
    );
    // Jobs of recovery are made and cancelled here; requests are counted, and kept with their Idempotency-Key.
    handler.allow(
      [
        ...['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
        ...['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      ],
      storage.ledger.tableArn,
    );
    handler.allow(['dynamodb:Query'], `${storage.ledger.tableArn}/index/${Storage.statusIndex}`);
    handler.allow(['sqs:SendMessage'], retries.queueArn, recovery.queueArn);
    handler.allow(['events:PutEvents'], bus.eventBusArn);
    handler.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
    allowMakingKeys(handler, settings.stage);
    // No GetSecretValue: the API writes secrets and can never read one back.
    allowSecrets(handler, secretPrefix, [
      'secretsmanager:CreateSecret',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
      'secretsmanager:DeleteSecret',
    ]);
    return handler;
  }
}
