import { z } from 'zod';
import { keyUse, unknownCall } from './need.ts';
import type { Need, Surroundings } from './need.ts';

/** A batch takes the permission of the single call (API reference, "Amazon SQS API permissions"). */
const permissionOf: Readonly<Record<string, string>> = {
  SendMessage: 'SendMessage',
  SendMessageBatch: 'SendMessage',
  ReceiveMessage: 'ReceiveMessage',
  DeleteMessage: 'DeleteMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibility: 'ChangeMessageVisibility',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
  GetQueueAttributes: 'GetQueueAttributes',
  ListDeadLetterSourceQueues: 'ListDeadLetterSourceQueues',
  PurgeQueue: 'PurgeQueue',
};

const byUrl = z.looseObject({ QueueUrl: z.string() });
const byName = z.looseObject({ QueueName: z.string() });
const move = z.looseObject({ SourceArn: z.string(), DestinationArn: z.string().optional() });

/** What a call of SQS takes. */
export function sqsNeeds(action: string, input: unknown, surroundings: Surroundings): readonly Need[] {
  const { region, accountId } = surroundings.place;
  const arnOf = (name: string) => `arn:aws:sqs:${region}:${accountId}:${name}`;
  switch (action) {
    case 'GetQueueUrl':
      return [{ action: 'sqs:GetQueueUrl', resource: arnOf(byName.parse(input).QueueName) }];
    case 'ListQueues':
    case 'CancelMessageMoveTask':
      return [{ action: `sqs:${action}`, resource: arnOf('*') }];
    case 'ListMessageMoveTasks':
      return [{ action: `sqs:${action}`, resource: move.parse(input).SourceArn }];
    case 'StartMessageMoveTask':
      return moveNeeds(surroundings, move.parse(input));
    default: {
      const permission = permissionOf[action] ?? unknownCall('sqs', action);
      return onQueue(surroundings, permission, arnOf(byUrl.parse(input).QueueUrl.split('/').at(-1) ?? ''));
    }
  }
}

/** A permission on a queue, with what it takes of the queue's key: SQS asks KMS in the caller's name. */
export function onQueue(surroundings: Surroundings, permission: string, queueArn: string): Need[] {
  const actions = keyActions[permission] ?? [];
  return [
    { action: `sqs:${permission}`, resource: queueArn },
    ...keyUse(surroundings, surroundings.keyOf(queueArn), {
      via: 'sqs',
      actions,
      context: { 'kms:EncryptionContext:aws:sqs:arn': queueArn },
    }),
  ];
}

/** SQS developer guide, "Key management": what producers and consumers need of a customer's key. */
export const keyActions: Readonly<Record<string, readonly string[]>> = {
  SendMessage: ['GenerateDataKey', 'Decrypt'],
  ReceiveMessage: ['Decrypt'],
};

/** API reference, StartMessageMoveTask, on permissions; where messages go back to is not known before. */
function moveNeeds(surroundings: Surroundings, { SourceArn, DestinationArn }: z.output<typeof move>): Need[] {
  const taken = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
  return [
    { action: 'sqs:StartMessageMoveTask', resource: SourceArn },
    ...taken.flatMap((permission) => onQueue(surroundings, permission, SourceArn)),
    ...(DestinationArn === undefined ? [] : onQueue(surroundings, 'SendMessage', DestinationArn)),
  ];
}
