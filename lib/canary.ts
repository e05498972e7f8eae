import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { canaryOrganization } from '../lambdas/endpoint/canary/env.ts';
import type { ReceiveEnv } from '../lambdas/endpoint/canary/receive/env.ts';
import type { SendEnv } from '../lambdas/endpoint/canary/send/env.ts';
import type { TargetEnv } from '../lambdas/endpoint/env.ts';
import { HandlerFunction } from './handler-function.ts';
import { allowSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

export interface CanaryProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly secretPrefix: string;
  readonly receivers: TargetEnv;
}

/** One event a minute through everything, to a receiver of our own that verifies it (decision 21). */
export class Canary extends Construct {
  public constructor(scope: Construct, id: string, props: CanaryProps) {
    super(scope, id);
    const receive = this.receiver(props);
    // Whoever delivers has no AWS credentials; the receiver looks at the signature, as a customer's does.
    const { url } = receive.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    new Rule(this, 'EveryMinute', {
      description: 'Tidings: sends the canary',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.sender(props, url))],
    });
  }

  private receiver({ storage, secretPrefix }: CanaryProps): HandlerFunction {
    const environment: ReceiveEnv = { CONFIG_TABLE: storage.config.tableName, SECRET_PREFIX: secretPrefix };
    const receive = new HandlerFunction(this, 'CanaryReceive', {
      feature: 'endpoint/canary/receive',
      description: 'Tidings: receives the canary and verifies it',
      timeoutSeconds: 10,
      memoryMb: 256,
      environment,
      key: storage.key,
    });
    allowOwnItems(receive, storage, ['dynamodb:Query']);
    receive.allow(['kms:Decrypt'], storage.key.keyArn);
    allowSecrets(receive, `${secretPrefix}/${canaryOrganization}`, ['secretsmanager:GetSecretValue']);
    return receive;
  }

  private sender({ settings, storage, bus, ...props }: CanaryProps, url: string): HandlerFunction {
    const environment: SendEnv = {
      CONFIG_TABLE: storage.config.tableName,
      BUS_NAME: bus.eventBusName,
      SECRET_PREFIX: props.secretPrefix,
      KEY_ARN: storage.key.keyArn,
      RETENTION_DAYS: String(settings.retentionDays),
      CANARY_URL: url,
      ...props.receivers,
    };
    const send = new HandlerFunction(this, 'CanarySend', {
      feature: 'endpoint/canary/send',
      description: 'Tidings: sends the canary',
      timeoutSeconds: 30,
      memoryMb: 256,
      environment,
      key: storage.key,
    });
    allowOwnItems(send, storage, [
      'dynamodb:GetItem',
      'dynamodb:Query',
      'dynamodb:PutItem',
      'dynamodb:DeleteItem',
    ]);
    send.allow(['events:PutEvents'], bus.eventBusArn);
    send.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
    allowSecrets(send, `${props.secretPrefix}/${canaryOrganization}`, [
      'secretsmanager:CreateSecret',
      'secretsmanager:PutSecretValue',
      'secretsmanager:DeleteSecret',
    ]);
    return send;
  }
}

/** The canary's organization and nobody else's. */
function allowOwnItems(handler: HandlerFunction, { config }: Storage, actions: readonly string[]): void {
  handler.addToRolePolicy(
    new PolicyStatement({
      actions: [...actions],
      resources: [config.tableArn],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [`ORG#${canaryOrganization}`] },
        // Without a key in the request the condition above would hold for none.
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    }),
  );
}
