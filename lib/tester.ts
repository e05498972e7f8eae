import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { Construct } from 'constructs';
import type { TestEnv } from '../lambdas/api/test/env.ts';
import type { TargetEnv } from '../lambdas/endpoint/env.ts';
import { requestSecondsMax } from './api-bounds.ts';
import type { Api } from './api.ts';
import { allowInterfaces } from './egress.ts';
import { HandlerFunction } from './handler-function.ts';
import type { Network } from './handler-function.ts';
import { allowSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { allowSigning } from './signing.ts';
import type { Storage } from './storage.ts';

export interface TesterProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly api: Api;
  readonly secretPrefix: string;
  readonly receivers: TargetEnv;
  /** Whom tokens name as their issuer. */
  readonly issuer: string;
  /** The way out to receivers, when its addresses must be known. */
  readonly network: Network | undefined;
}

/** Sends test events: a function of its own, since it must sign and reach out, which the API's can not. */
export class Tester extends Construct {
  public constructor(scope: Construct, id: string, props: TesterProps) {
    super(scope, id);
    const { settings, storage, api, secretPrefix } = props;
    const environment: TestEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      SECRET_PREFIX: secretPrefix,
      ISSUER: props.issuer,
      RETENTION_DAYS: String(settings.retentionDays),
      ORGANIZATION_CLAIM: settings.organizationClaim,
      SCOPE_CLAIM: settings.scopeClaim,
      REQUESTS_PER_MINUTE: String(settings.requestsPerMinute),
      ...props.receivers,
    };
    const test = new HandlerFunction(this, 'Test', {
      feature: 'api/test',
      description: 'Tidings: sends test events and says what happened',
      // The gateway waits for 30 s; an attempt takes 20 at most.
      timeoutSeconds: requestSecondsMax,
      // A test waits for its receiver, and few are made at once.
      reservedExecutions: Math.ceil(settings.apiConcurrency / 10),
      memoryMb: 512,
      environment,
      key: storage.key,
      network: props.network,
    });
    test.allow(['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'], storage.config.tableArn);
    test.allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], storage.ledger.tableArn);
    test.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
    if (props.network !== undefined) allowInterfaces(test);
    allowSigning(test, settings.stage);
    allowSecrets(test, secretPrefix, ['secretsmanager:GetSecretValue']);
    const path = '/v1/organizations/{organizationId}/endpoints/{endpointId}/test';
    api.serve({ method: HttpMethod.POST, path, bounded: 'test' }, test);
  }
}
