import { z } from 'zod';

import { type Action, actionsOn } from './actions.ts';
import type { MoveTask } from './sqs-move-tasks.ts';
import type { Sqs } from './sqs.ts';

const action = actionsOn<Sqs>('InvalidParameterValue');

/** Redrive: StartMessageMoveTask and its company. */
export const taskActions: Record<string, Action<Sqs>> = {
  StartMessageMoveTask: action(
    z.strictObject({
      SourceArn: z.string(),
      DestinationArn: z.string().optional(),
      MaxNumberOfMessagesPerSecond: z.number().optional(),
    }),
    (sqs, input) => {
      const task = sqs.moveTasks.start({
        sourceArn: input.SourceArn,
        destinationArn: input.DestinationArn,
        messagesPerSecond: input.MaxNumberOfMessagesPerSecond,
      });
      return { TaskHandle: task.handle };
    },
  ),
  ListMessageMoveTasks: action(
    z.strictObject({ SourceArn: z.string(), MaxResults: z.int().min(1).max(10).optional() }),
    (sqs, input) => ({ Results: sqs.moveTasks.list(input.SourceArn, input.MaxResults).map(taskFields) }),
  ),
  CancelMessageMoveTask: action(z.strictObject({ TaskHandle: z.string() }), (sqs, input) => {
    const task = sqs.moveTasks.cancel(input.TaskHandle);
    return { ApproximateNumberOfMessagesMoved: task.moved };
  }),
};

function taskFields(task: MoveTask): object {
  return {
    // SQS shows the handle only while it is of use.
    TaskHandle: task.status === 'RUNNING' ? task.handle : undefined,
    Status: task.status,
    SourceArn: task.sourceArn,
    DestinationArn: task.destinationArn,
    MaxNumberOfMessagesPerSecond: task.messagesPerSecond,
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    FailureReason: task.failureReason,
    StartedTimestamp: task.startedAt,
  };
}
