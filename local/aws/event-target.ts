import { AwsError } from './aws-error.ts';
import type { EventEnvelope } from './event-entry.ts';
import { isGroupId, type OutgoingMessage } from './sqs-message.ts';
import type { Sqs } from './sqs.ts';

/** What the bus does in its own name; each throws an AwsError when nothing allows it. */
export interface BusHops {
  ruleSends(ruleArn: string, queueArn: string): void;
  archiveKeeps(archive: { arn: string; busArn: string; keyArn: string }): void;
}

/** A queue that a rule sends events to. */
export interface EventTarget {
  id: string;
  queueArn: string;
  /** Such as `$.detail.organizationId`, read from the original event, or a text: it becomes the message's group id. */
  messageGroupIdPath?: string | undefined;
  /** Takes what could not be put on the queue; without one such events are dropped, as on AWS. */
  deadLetterQueueArn?: string | undefined;
}

interface Way {
  /** The event as its targets get it. */
  body: string;
  sqs: Sqs;
  report: (problem: string) => void;
  hops: BusHops | undefined;
  ruleArn: string;
  target: EventTarget;
  traceHeader: string | undefined;
}

/** Sends the event to the target's queue, else to its dead-letter queue, else drops it and says so. */
export async function putOnTarget(event: EventEnvelope, way: Way): Promise<void> {
  const { body, sqs, target, traceHeader } = way;
  try {
    way.hops?.ruleSends(way.ruleArn, target.queueArn);
    const groupId = target.messageGroupIdPath && groupIdAt(target.messageGroupIdPath, event);
    await sqs.queueByArn(target.queueArn).send({ body, groupId, traceHeader });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    await putOnDeadLetterQueue(
      { body, attributes: failureAttributes(error, way), traceHeader },
      { event, way },
    );
  }
}

/**
 * The group id the path leads to. What real AWS does with a missing or over-long one is not verified
 * (docs/first-deployment.md, row 5); here it cannot be put on the queue, and goes the way of every event that cannot.
 */
function groupIdAt(path: string, event: EventEnvelope): string {
  if (!path.startsWith('$')) return path;
  let value: unknown = event;
  for (const name of path.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null) break;
    value = Object.entries(value).find(([key]) => key === name)?.[1];
  }
  const groupId = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (isGroupId(groupId)) return groupId;
  throw new AwsError('INVALID_PARAMETER', `${path} leads to no valid message group id.`);
}

async function putOnDeadLetterQueue(
  message: OutgoingMessage,
  { event, way }: { event: EventEnvelope; way: Way },
): Promise<void> {
  const { deadLetterQueueArn, id } = way.target;
  try {
    if (deadLetterQueueArn === undefined)
      throw new AwsError('NoDeadLetterQueue', 'The target has no dead-letter queue.');
    way.hops?.ruleSends(way.ruleArn, deadLetterQueueArn);
    await way.sqs.queueByArn(deadLetterQueueArn).send(message);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    way.report(`EventBridge would drop event ${event.id} for target ${id}: ${error.code}`);
  }
}

/** What EventBridge writes on a message in a target's dead-letter queue (user guide, "Using dead-letter queues"). */
function failureAttributes(error: AwsError, { ruleArn, target }: Way): OutgoingMessage['attributes'] {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  return {
    RULE_ARN: text(ruleArn),
    TARGET_ARN: text(target.queueArn),
    ERROR_CODE: text(error.code),
    ERROR_MESSAGE: text(error.message),
  };
}
