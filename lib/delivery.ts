import type { EventBus } from 'aws-cdk-lib/aws-events';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DeliverEnv } from '../lambdas/delivery/env.ts';
import type { TargetEnv } from '../lambdas/endpoint/env.ts';
import { allowInterfaces } from './egress.ts';
import { HandlerFunction } from './handler-function.ts';
import type { Network } from './handler-function.ts';
import { allowSecrets } from './secrets.ts';
import { nameOf } from './settings.ts';
import type { Settings } from './settings.ts';
import { allowSigning } from './signing.ts';
import type { Storage } from './storage.ts';
import { WorkQueue } from './work-queue.ts';

export interface DeliveryProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly bus: EventBus;
  /** Told when what waits for an endpoint may be brought back. */
  readonly recovery: sqs.Queue;
  readonly secretPrefix: string;
  readonly receivers: TargetEnv;
  /** Whom tokens name as their issuer. */
  readonly issuer: string;
  /** The way out to receivers, when its addresses must be known. */
  readonly network: Network | undefined;
}

/** First attempts and later ones in lanes of their own, dead letters on their way in a third queue, one function for all. */
export class Delivery extends Construct {
  public readonly deliveries: sqs.Queue;
  public readonly retries: sqs.Queue;
  public readonly deliveriesDead: sqs.Queue;
  /** Last messages of dead deliveries, until SQS has moved them to `deliveriesDead`; a redrive brings them back here. */
  private readonly falling: sqs.Queue;

  /** The longest attempt (30 s), the reads before it, and two calls that record and hand on what came of it, 10 s each. */
  private static readonly timeoutSeconds = 60;
  /** Six times the function's timeout, or SQS hands a message out again while it is being delivered. */
  public static readonly visibilitySeconds = 6 * Delivery.timeoutSeconds;

  public constructor(scope: Construct, id: string, props: DeliveryProps) {
    super(scope, id);
    const queue = queuesOf(this, props);
    this.deliveriesDead = queue('DeliveriesDead', 'deliveries-dead');
    // 50 receives: neither an outage of ours nor throttling may take a live delivery for dead.
    const live = { queue: queue('LanesDead', 'lanes-dead'), maxReceiveCount: 50 };
    this.deliveries = queue('Deliveries', 'deliveries', live);
    this.retries = queue('Retries', 'retries', live);
    // Here every message is failed on purpose, each time it is received: three times, in case a function dies with it.
    const dead = { queue: this.deliveriesDead, maxReceiveCount: 3 };
    this.falling = queue('Falling', 'falling', dead);

    const deliver = this.handlerFunction(props);
    // Capped here and not by reserved concurrency, under which throttled batches would use up their receives. Two
    // lanes, so that retries never delay fresh events; two at a time, the least there is, for what only has to fall.
    const taken = [
      { queue: this.deliveries, maxConcurrency: 100 },
      { queue: this.retries, maxConcurrency: 100 },
      { queue: this.falling, maxConcurrency: 2 },
    ];
    for (const { queue, maxConcurrency } of taken) {
      const source = { batchSize: 10, maxConcurrency, reportBatchItemFailures: true };
      deliver.addEventSource(new SqsEventSource(queue, source));
    }
    const { config, ledger, key } = props.storage;
    deliver.allow(['dynamodb:BatchGetItem', 'dynamodb:Query'], config.tableArn);
    deliver.allow(
      ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      ledger.tableArn,
    );
    deliver.allow(['events:PutEvents'], props.bus.eventBusArn);
    const sent = [this.retries, this.falling, props.recovery];
    deliver.allow(['sqs:SendMessage'], ...sent.map(({ queueArn }) => queueArn));
    deliver.allow(['kms:Decrypt', 'kms:GenerateDataKey'], key.keyArn);
    if (props.network !== undefined) allowInterfaces(deliver);
    allowSigning(deliver, props.settings.stage);
    allowSecrets(deliver, props.secretPrefix, ['secretsmanager:GetSecretValue']);
  }

  private handlerFunction({ settings, storage, ...props }: DeliveryProps): HandlerFunction {
    const environment: DeliverEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      DELIVERIES_QUEUE_URL: this.deliveries.queueUrl,
      RETRIES_QUEUE_URL: this.retries.queueUrl,
      FALLING_QUEUE_URL: this.falling.queueUrl,
      RECOVERY_QUEUE_URL: props.recovery.queueUrl,
      BUS_NAME: props.bus.eventBusName,
      SECRET_PREFIX: props.secretPrefix,
      ISSUER: props.issuer,
      RETENTION_DAYS: String(settings.retentionDays),
      ...props.receivers,
    };
    return new HandlerFunction(this, 'Deliver', {
      feature: 'delivery',
      description: 'Tidings: signs, posts, records and decides',
      timeoutSeconds: Delivery.timeoutSeconds,
      memoryMb: 512,
      environment,
      key: storage.key,
      network: props.network,
      // It sends to queues that invoke it: by default Lambda drops such a chain at its sixteenth hop.
      recursiveLoop: lambda.RecursiveLoop.ALLOW,
    });
  }
}

/** Makes queues; those that have dead letters are taken from by `deliver`. */
function queuesOf(scope: Delivery, { settings, storage }: DeliveryProps) {
  return function queue(id: string, name: string, deadLetters?: sqs.DeadLetterQueue): sqs.Queue {
    const taken = deadLetters && { visibilitySeconds: Delivery.visibilitySeconds, deadLetters };
    return new WorkQueue(scope, id, { name: nameOf(settings.stage, name), key: storage.key, ...taken });
  };
}
