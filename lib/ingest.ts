import { Duration, Stack, Validations } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { nameOf } from './settings.ts';
import type { Settings } from './settings.ts';
import { WorkQueue } from './work-queue.ts';

export interface IngestProps {
  readonly settings: Pick<Settings, 'stage' | 'archiveDays'>;
  readonly key: IKey;
  /** Seconds that an event stays hidden while the route function works on it. */
  readonly visibilitySeconds: number;
}

/** Where producers publish: the bus, the rule that takes their events, the queue `events`, and where they fall. */
export class Ingest extends Construct {
  public readonly bus: events.EventBus;
  public readonly events: sqs.Queue;
  public readonly eventsFalling: sqs.Queue;
  public readonly eventsDead: sqs.Queue;

  public constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id);
    const { settings, key, visibilitySeconds } = props;
    const { stage, archiveDays } = settings;
    this.bus = new events.EventBus(this, 'Bus', {
      eventBusName: nameOf(stage),
      description: 'Tidings: put events here, organizations receive webhooks',
    });
    this.eventsDead = new WorkQueue(this, 'EventsDead', { name: nameOf(stage, 'events-dead'), key });
    this.events = new WorkQueue(this, 'Events', {
      name: nameOf(stage, 'events'),
      key,
      visibilitySeconds,
      // 50 receives: an hour and more of an outage of ours must not drain good events.
      deadLetters: { queue: this.eventsDead, maxReceiveCount: 50 },
    });
    this.eventsFalling = new WorkQueue(this, 'EventsFalling', {
      name: nameOf(stage, 'events-falling'),
      key,
      visibilitySeconds,
      // What no organization could ever see: one look, and two more receives, in case the function died over the first.
      deadLetters: { queue: this.eventsDead, maxReceiveCount: 3 },
    });
    // A queue of its own: what is sent into a dead-letter queue directly can never be redriven to its source.
    const busDead = new WorkQueue(this, 'BusDead', { name: nameOf(stage, 'bus-dead'), key });
    Validations.of(busDead).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason:
        'This is a dead-letter queue, of an EventBridge target; the rule looks only at those of SQS queues.',
    });
    // aws-cdk issue 33169: CDK grants EventBridge the key of its target by `aws:SourceAccount`, but not the key of the
    // target's dead letters. It is the same one, and so within that grant.
    this.#allowByContext(key, stage);

    if (archiveDays > 0) {
      new events.Archive(this, 'Archive', {
        sourceEventBus: this.bus,
        description: 'What producers published, for a replay',
        eventPattern: { source: events.Match.anythingBut('tidings') },
        retention: Duration.days(archiveDays),
        kmsKey: key,
      });
    }

    this.#takeStrays(busDead);
    new events.Rule(this, 'Rule', {
      eventBus: this.bus,
      description: 'Every event that names an organization, but not our own operator events',
      eventPattern: {
        source: events.Match.anythingBut('tidings'),
        detail: { organizationId: events.Match.exists() },
      },
      targets: [
        new targets.SqsQueue(this.events, {
          messageGroupId: events.EventField.fromPath('$.detail.organizationId'),
          deadLetterQueue: busDead,
        }),
      ],
    });
  }

  /**
   * Lets EventBridge use the key for these queues also when it does not say in whose name: AWS's pages differ on whether a
   * key hears of it, and without the key nothing comes in. What SQS encrypts, it names in the encryption context.
   */
  #allowByContext(key: IKey, stage: string): void {
    // By their names: the key would refer to queues which refer to the key.
    const arns = ['events', 'events-falling', 'bus-dead'].map((name) =>
      Stack.of(this).formatArn({ service: 'sqs', resource: nameOf(stage, name) }),
    );
    key.addToResourcePolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        principals: [new ServicePrincipal('events.amazonaws.com')],
        resources: ['*'],
        conditions: { StringEquals: { 'kms:EncryptionContext:aws:sqs:arn': arns } },
      }),
    );
  }

  /**
   * The bus is Tidings' own: what names no organization was meant for one all the same, and goes where nobody waits behind
   * it. `exists` looks for a leaf at the path, so this takes objects and empty lists there, and the two rules leave nothing out.
   */
  #takeStrays(busDead: sqs.Queue): void {
    new events.Rule(this, 'StrayRule', {
      eventBus: this.bus,
      description: 'Every event that names no organization: an operator finds who sends them',
      eventPattern: {
        source: events.Match.anythingBut('tidings'),
        detail: { organizationId: events.Match.doesNotExist() },
      },
      targets: [
        new targets.SqsQueue(this.eventsFalling, { messageGroupId: 'nobody', deadLetterQueue: busDead }),
      ],
    });
  }
}
