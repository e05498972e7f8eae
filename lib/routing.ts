import type { EventBus } from 'aws-cdk-lib/aws-events';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { RouteEnv } from '../lambdas/routing/env.ts';
import { HandlerFunction } from './handler-function.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

export interface RoutingProps {
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly events: sqs.Queue;
  readonly eventsFalling: sqs.Queue;
  readonly deliveries: sqs.Queue;
  readonly settings: Settings;
}

/** Takes an event, stores it once, and sends one small message per endpoint that wants it. */
export class Routing extends Construct {
  /** A batch of ten events with a thousand endpoints each takes a few seconds; 30 leaves room for throttles. */
  public static readonly timeoutSeconds = 30;

  public constructor(scope: Construct, id: string, props: RoutingProps) {
    super(scope, id);
    const { storage, bus, events, eventsFalling, deliveries } = props;
    const environment: RouteEnv = {
      CONFIG_TABLE: storage.config.tableName,
      LEDGER_TABLE: storage.ledger.tableName,
      EVENTS_QUEUE_URL: events.queueUrl,
      EVENTS_FALLING_QUEUE_URL: eventsFalling.queueUrl,
      DELIVERIES_QUEUE_URL: deliveries.queueUrl,
      BUS_NAME: bus.eventBusName,
      RETENTION_DAYS: String(props.settings.retentionDays),
      EVENT_SCHEMAS: props.settings.eventSchemas,
    };
    const route = new HandlerFunction(this, 'Route', {
      feature: 'routing',
      description: 'Tidings: finds the endpoints that want an event',
      timeoutSeconds: Routing.timeoutSeconds,
      memoryMb: 512,
      environment,
      key: storage.key,
    });
    route.addEventSource(
      new SqsEventSource(events, { batchSize: 10, maxConcurrency: 50, reportBatchItemFailures: true }),
    );
    // The fewest that SQS takes: these events are for nobody, and may wait.
    route.addEventSource(
      new SqsEventSource(eventsFalling, { batchSize: 10, maxConcurrency: 2, reportBatchItemFailures: true }),
    );
    route.allow(['dynamodb:BatchGetItem', 'dynamodb:Query'], storage.config.tableArn);
    route.allow(['dynamodb:PutItem', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'], storage.ledger.tableArn);
    // Operator events.
    route.allow(['events:PutEvents'], bus.eventBusArn);
    route.allow(['sqs:SendMessage'], deliveries.queueArn);
    route.allow(['sqs:SendMessage'], eventsFalling.queueArn);
    route.allow(['kms:Decrypt', 'kms:GenerateDataKey'], storage.key.keyArn);
  }
}
