import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

export interface WorkQueueProps {
  readonly name: string;
  readonly key: IKey;
  /** Seconds after which a message whose function died is seen again. */
  readonly visibilitySeconds?: number;
  readonly deadLetters?: sqs.DeadLetterQueue;
}

/** A standard queue of Tidings: encrypted with the stack's key, TLS only, kept for 14 days. */
export class WorkQueue extends sqs.Queue {
  public constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id, {
      queueName: props.name,
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: props.key,
      // One data key an hour: KMS requests for the queue stay within cents a month.
      dataKeyReuse: Duration.hours(1),
      enforceSSL: true,
      // A message keeps the time of its first send when SQS moves it: dead letters need the full 14 days.
      retentionPeriod: Duration.days(14),
      ...(props.visibilitySeconds === undefined
        ? {}
        : { visibilityTimeout: Duration.seconds(props.visibilitySeconds) }),
      ...(props.deadLetters === undefined ? {} : { deadLetterQueue: props.deadLetters }),
    });
  }
}
