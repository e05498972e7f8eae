import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { ExpiryEnv } from '../lambdas/endpoint/expiry/env.ts';
import { HandlerFunction } from './handler-function.ts';
import { allowDestroyingKeys } from './signing.ts';
import { Storage } from './storage.ts';

export interface ExpiryProps {
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly stage: string;
}

/** Once a day: warns the operator of client certificates that are about to end, destroys keys that have retired or that nobody knows of. */
export class Expiry extends Construct {
  public constructor(scope: Construct, id: string, { storage, bus, stage }: ExpiryProps) {
    super(scope, id);
    const environment: ExpiryEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      BUS_NAME: bus.eventBusName,
      STAGE: stage,
    };
    const warn = new HandlerFunction(this, 'Warn', {
      feature: 'endpoint/expiry',
      description: 'Tidings: warns of certificates that end soon, destroys unused keys',
      // It asks for the keys of one organization after the other: some 20,000 of them.
      timeoutSeconds: 300,
      memoryMb: 256,
      environment,
      key: storage.key,
    });
    warn.allow(['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:DeleteItem'], storage.config.tableArn);
    allowDestroyingKeys(warn, stage);
    warn.allow(['dynamodb:Query'], `${storage.config.tableArn}/index/${Storage.listIndex}`);
    warn.allow(['dynamodb:GetItem', 'dynamodb:PutItem'], storage.ledger.tableArn);
    warn.allow(['events:PutEvents'], bus.eventBusArn);
    warn.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
    new Rule(this, 'Daily', {
      description: 'Tidings: looks for certificates that end soon and keys that nobody uses any more',
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(warn)],
    });
  }
}
