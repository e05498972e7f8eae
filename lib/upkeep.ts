import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { ReconcileEnv } from '../lambdas/recovery/reconcile/env.ts';
import type { TidyEnv } from '../lambdas/recovery/tidy/env.ts';
import { HandlerFunction } from './handler-function.ts';
import { Storage } from './storage.ts';

export interface UpkeepProps {
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly deliveriesDead: sqs.Queue;
}

/** What keeps the books right: the dead-letter queue's depth is the truth, and no event is without an explained end. */
export class Upkeep extends Construct {
  public constructor(scope: Construct, id: string, props: UpkeepProps) {
    super(scope, id);
    new Rule(this, 'EveryQuarter', {
      description: 'Tidings: removes dead letters that have been delivered or discarded since',
      schedule: Schedule.rate(Duration.minutes(15)),
      targets: [new LambdaFunction(this.tidy(props))],
    });
    new Rule(this, 'EveryHour', {
      description: 'Tidings: looks for events whose deliveries are missing',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(this.reconcile(props))],
    });
  }

  private tidy({ storage, deliveriesDead }: UpkeepProps): HandlerFunction {
    const environment: TidyEnv = {
      LEDGER_TABLE: storage.ledger.tableName,
      DEAD_LETTER_QUEUE_URL: deliveriesDead.queueUrl,
    };
    const tidy = new HandlerFunction(this, 'Tidy', {
      feature: 'recovery/tidy',
      description: 'Tidings: removes dead letters that are no longer true',
      // Less than it hides letters for (holdSeconds in tidy.ts), and than the time between two runs.
      timeoutSeconds: 600,
      // 100,000 letters, which it holds until the end.
      memoryMb: 512,
      environment,
      key: storage.key,
    });
    tidy.allow(
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
      deliveriesDead.queueArn,
    );
    tidy.allow(['dynamodb:BatchGetItem'], storage.ledger.tableArn);
    tidy.allow(['kms:Decrypt'], storage.key.keyArn);
    return tidy;
  }

  private reconcile({ storage, bus }: UpkeepProps): HandlerFunction {
    const environment: ReconcileEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      BUS_NAME: bus.eventBusName,
    };
    const reconcile = new HandlerFunction(this, 'Reconcile', {
      feature: 'recovery/reconcile',
      description: 'Tidings: compares events with their ends, and says what is missing',
      // The most that Lambda gives: two hours of events of all organizations.
      timeoutSeconds: 900,
      memoryMb: 512,
      environment,
      key: storage.key,
    });
    const { config, ledger } = storage;
    reconcile.allow(['dynamodb:Query'], `${config.tableArn}/index/${Storage.listIndex}`);
    reconcile.allow(['dynamodb:BatchGetItem', 'dynamodb:Query'], ledger.tableArn);
    reconcile.allow(['dynamodb:Query'], `${ledger.tableArn}/index/${Storage.waitingIndex}`);
    reconcile.allow(['events:PutEvents'], bus.eventBusArn);
    reconcile.allow(['kms:Decrypt'], storage.key.keyArn);
    return reconcile;
  }
}
