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
  readonly secretPrefix: string;
  readonly receivers: TargetEnv;
  /** Whom tokens name as their issuer. */
  readonly issuer: string;
  /** The way out to receivers, when its addresses must be known. */
  readonly network: Network | undefined;
}

/** First attempts and later ones in lanes of their own, one function for both, one dead-letter queue. */
export class Delivery extends Construct {
  public readonly deliveries: sqs.Queue;
  public readonly retries: sqs.Queue;
  public readonly deliveriesDead: sqs.Queue;

  /** Longer than the longest attempt (30 s) and the 5 s it takes to record and hand on what came of it. */
  private static readonly timeoutSeconds = 45;
  /** Six times the function's timeout, or SQS hands a message out again while it is being delivered. */
  private static readonly visibilitySeconds = 6 * Delivery.timeoutSeconds;

  public constructor(scope: Construct, id: string, props: DeliveryProps) {
    super(scope, id);
    const { settings, storage } = props;
    const { stage, retentionDays } = settings;
    this.deliveriesDead = new WorkQueue(this, 'DeliveriesDead', {
      name: nameOf(stage, 'deliveries-dead'),
      key: storage.key,
    });
    this.deliveries = this.lane('Deliveries', nameOf(stage, 'deliveries'), storage);
    this.retries = this.lane('Retries', nameOf(stage, 'retries'), storage);

    const environment: DeliverEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      DELIVERIES_QUEUE_URL: this.deliveries.queueUrl,
      RETRIES_QUEUE_URL: this.retries.queueUrl,
      BUS_NAME: props.bus.eventBusName,
      SECRET_PREFIX: props.secretPrefix,
      ISSUER: props.issuer,
      RETENTION_DAYS: String(retentionDays),
      ...props.receivers,
    };
    const deliver = new HandlerFunction(this, 'Deliver', {
      feature: 'delivery',
      description: 'Tidings: signs, posts, records and decides',
      timeoutSeconds: Delivery.timeoutSeconds,
      memoryMb: 512,
      environment,
      key: storage.key,
      network: props.network,
      // It sends to a queue that invokes it: by default Lambda drops such a chain at its sixteenth hop.
      recursiveLoop: lambda.RecursiveLoop.ALLOW,
    });
    // Two mappings, so that retries never delay fresh events. Capped here and not by reserved concurrency,
    // under which throttled batches would use up their receives.
    for (const queue of [this.deliveries, this.retries]) {
      deliver.addEventSource(
        new SqsEventSource(queue, { batchSize: 10, maxConcurrency: 100, reportBatchItemFailures: true }),
      );
    }
    deliver.allow(['dynamodb:BatchGetItem', 'dynamodb:Query'], storage.config.tableArn);
    deliver.allow(
      ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      storage.ledger.tableArn,
    );
    deliver.allow(['events:PutEvents'], props.bus.eventBusArn);
    deliver.allow(['sqs:SendMessage'], this.retries.queueArn);
    deliver.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
    if (props.network !== undefined) allowInterfaces(deliver);
    allowSigning(deliver, stage);
    allowSecrets(deliver, props.secretPrefix, ['secretsmanager:GetSecretValue']);
  }

  private lane(id: string, name: string, storage: Storage): sqs.Queue {
    return new WorkQueue(this, id, {
      name,
      key: storage.key,
      visibilitySeconds: Delivery.visibilitySeconds,
      // The least that Lambda advises; death comes by this count (DESIGN.md, section 2).
      deadLetters: { queue: this.deliveriesDead, maxReceiveCount: 5 },
    });
  }
}
