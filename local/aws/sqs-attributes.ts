import { AwsError } from './aws-error.ts';
import { messageBytesMax } from './sqs-message.ts';
import type { Queue } from './sqs-queue.ts';

/** Names SQS knows that are not read here by anybody: asking for them is allowed and answers nothing. */
const absent = [
  'Policy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
];

/** The attributes of a queue that were asked for, all as strings. */
export function queueAttributes(queue: Queue, wanted: string[] = []): Record<string, string> {
  const attributes = attributesOf(queue);
  const unknown = wanted.find((name) => name !== 'All' && !(name in attributes) && !isAbsent(name));
  if (unknown !== undefined) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
  const isWanted = ([name]: [string, string]) => wanted.includes('All') || wanted.includes(name);
  return Object.fromEntries(Object.entries(attributes).filter(isWanted));
}

function isAbsent(name: string): boolean {
  return absent.includes(name) || name === 'RedrivePolicy';
}

function attributesOf(queue: Queue): Record<string, string> {
  const { definition } = queue;
  const { visible, inFlight, delayed } = queue.counts();
  const { redrive } = definition;
  const createdSeconds = String(Math.floor(queue.createdAt / 1000));
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: createdSeconds,
    LastModifiedTimestamp: createdSeconds,
    VisibilityTimeout: String(definition.visibilityTimeoutSeconds),
    MessageRetentionPeriod: String(definition.messageRetentionSeconds),
    DelaySeconds: String(definition.delaySeconds),
    MaximumMessageSize: String(messageBytesMax),
    ReceiveMessageWaitTimeSeconds: '0',
    SqsManagedSseEnabled: 'true',
    ...(redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: redrive.deadLetterQueueArn,
        maxReceiveCount: redrive.maxReceiveCount,
      }),
    }),
  };
}
