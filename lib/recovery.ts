import type { EventBus } from 'aws-cdk-lib/aws-events';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { RecoverEnv } from '../lambdas/recovery/env.ts';
import { HandlerFunction } from './handler-function.ts';
import { nameOf } from './settings.ts';
import { Storage } from './storage.ts';
import { WorkQueue } from './work-queue.ts';

export interface RecoveryProps {
  readonly stage: string;
  readonly storage: Storage;
}

/** Where `recover` reads, sends and tells. */
export interface RecoverProps {
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly retries: sqs.Queue;
}

/**
 * Finds what was not delivered in a span of time and has it delivered after all, by jobs of any length; brings back, in
 * the same way, what waited for an endpoint.
 */
export class Recovery extends Construct {
  public readonly queue: sqs.Queue;

  /** Two thirds for pages that found nothing, the rest for the one under way. */
  private static readonly timeoutSeconds = 60;

  public constructor(scope: Construct, id: string, { stage, storage }: RecoveryProps) {
    super(scope, id);
    const dead = new WorkQueue(this, 'Dead', { name: nameOf(stage, 'recovery-dead'), key: storage.key });
    this.queue = new WorkQueue(this, 'Queue', {
      name: nameOf(stage, 'recovery'),
      key: storage.key,
      visibilitySeconds: 6 * Recovery.timeoutSeconds,
      // Two hours of an outage of ours; then the job waits for a redrive.
      deadLetters: { queue: dead, maxReceiveCount: 20 },
    });
  }

  /** Has the queue worked on. Apart from the constructor: `deliver` sends to this queue, and `recover` to a queue of its. */
  public recoverTo({ storage, bus, retries }: RecoverProps): void {
    const environment: RecoverEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      RECOVERY_QUEUE_URL: this.queue.queueUrl,
      RETRIES_QUEUE_URL: retries.queueUrl,
      BUS_NAME: bus.eventBusName,
    };
    const recover = new HandlerFunction(this, 'Recover', {
      feature: 'recovery',
      description: 'Tidings: finds what was not delivered, and has it delivered',
      timeoutSeconds: Recovery.timeoutSeconds,
      memoryMb: 512,
      environment,
      key: storage.key,
      // Page after page it sends itself the next message of a job or a drain: by default Lambda drops the sixteenth.
      recursiveLoop: RecursiveLoop.ALLOW,
    });
    recover.addEventSource(
      // Few at once: what all jobs send together must be less than what the lane of later attempts delivers.
      new SqsEventSource(this.queue, { batchSize: 1, maxConcurrency: 10, reportBatchItemFailures: true }),
    );
    const { config, ledger } = storage;
    recover.allow(['dynamodb:BatchGetItem'], config.tableArn);
    recover.allow(
      [
        ...['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
        ...['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      ],
      ledger.tableArn,
    );
    const indexes = [Storage.statusIndex, Storage.waitingIndex];
    recover.allow(['dynamodb:Query'], ...indexes.map((index) => `${ledger.tableArn}/index/${index}`));
    recover.allow(['sqs:SendMessage'], this.queue.queueArn, retries.queueArn);
    recover.allow(['events:PutEvents'], bus.eventBusArn);
    recover.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
  }
}
