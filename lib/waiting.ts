import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { WakeEnv } from '../lambdas/recovery/wake/env.ts';
import { HandlerFunction } from './handler-function.ts';
import { Storage } from './storage.ts';

export interface WaitingProps {
  readonly storage: Storage;
  readonly retries: sqs.Queue;
  readonly recovery: sqs.Queue;
}

/** Deliveries that wait are rows of the ledger: once a minute `wake` sends on what is due. */
export class Waiting extends Construct {
  /** The time between two runs: what one does not manage in it is left to the next. */
  private static readonly timeoutSeconds = 60;

  public constructor(scope: Construct, id: string, { storage, retries, recovery }: WaitingProps) {
    super(scope, id);
    const environment: WakeEnv = {
      LEDGER_TABLE: storage.ledger.tableName,
      RETRIES_QUEUE_URL: retries.queueUrl,
      RECOVERY_QUEUE_URL: recovery.queueUrl,
    };
    const wake = new HandlerFunction(this, 'Wake', {
      feature: 'recovery/wake',
      description: 'Tidings: sends on what waits, when its time has come',
      timeoutSeconds: Waiting.timeoutSeconds,
      memoryMb: 512,
      environment,
      key: storage.key,
    });
    // A run that failed is not tried again, nor one that came late: the next is a minute away, and finds the same.
    wake.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new Rule(this, 'EveryMinute', {
      description: 'Tidings: sends on deliveries whose wait is over',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(wake)],
    });
    wake.allow(['dynamodb:GetItem', 'dynamodb:PutItem'], storage.ledger.tableArn);
    wake.allow(['dynamodb:Query'], `${storage.ledger.tableArn}/index/${Storage.waitingIndex}`);
    wake.allow(['sqs:SendMessage'], retries.queueArn, recovery.queueArn);
    wake.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
  }
}
