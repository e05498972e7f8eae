import { checkRange, invalid, type StoredMessage } from './sqs-message.ts';

/** SQS: a receipt lasts 12 hours, however it is extended. */
const visibilitySecondsMax = 43_200;
const messagesPerReceiveMax = 10;
const waitSecondsMax = 20;

export interface ReceiveRequest {
  /** 1 to 10; SQS's default is 1. */
  max?: number | undefined;
  visibilityTimeoutSeconds?: number | undefined;
  /** 0 to 20; `Infinity`, in-process only, waits without a timer until there is a message or the signal aborts. */
  waitSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** The request, if SQS would take it. */
export function checkReceive(request: ReceiveRequest): ReceiveRequest {
  const { max = 1, waitSeconds = 0 } = request;
  if (!Number.isInteger(max) || max < 1 || max > messagesPerReceiveMax) {
    throw invalid('MaxNumberOfMessages', `Must be between 1 and ${messagesPerReceiveMax}, if provided`);
  }
  checkVisibility(request.visibilityTimeoutSeconds);
  if (waitSeconds !== Infinity) checkRange('WaitTimeSeconds', waitSeconds, waitSecondsMax);
  return request;
}

export function checkVisibility(seconds: number | undefined): void {
  checkRange('VisibilityTimeout', seconds, visibilitySecondsMax);
}

/** Extending does not restart the 12 hours: asking for more than is left is an error, not clipped. */
export function checkTotalVisibility(ms: number): void {
  if (ms <= visibilitySecondsMax * 1000) return;
  throw invalid('VisibilityTimeout', `Total VisibilityTimeout is beyond the limit ${visibilitySecondsMax}`);
}

/** A message in a queue's memory, with what only its time here knows. */
export interface Held {
  readonly id: string;
  readonly groupId?: string | undefined;
  readonly message: StoredMessage;
  state: 'delayed' | 'visible' | 'in flight';
  receives: number;
  /** When its latest receive was; the 12 hours of a receipt count from here. */
  receivedAt: number;
  firstReceivedAt?: number;
  /** Of the latest receive. */
  receiptHandle?: string;
}

/** A message as a receiver gets it. */
export interface Received {
  message: StoredMessage;
  receiptHandle: string;
  receiveCount: number;
  firstReceivedAt: number;
}

/** The principal that SQS says has sent a message. There is but one here. */
const senderId = 'AIDALOCALTIDINGS';

export function receivedFrom({ message, receiptHandle = '', receives, firstReceivedAt = 0 }: Held): Received {
  return { message, receiptHandle, receiveCount: receives, firstReceivedAt };
}

/** The system attributes of a received message, as the strings SQS and Lambda give. */
export function systemAttributes({ message, receiveCount, firstReceivedAt }: Received) {
  return {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: senderId,
    ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
    ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
    ...(message.sourceArn !== undefined && { DeadLetterQueueSourceArn: message.sourceArn }),
    ...(message.traceHeader !== undefined && { AWSTraceHeader: message.traceHeader }),
  };
}

/** Message id, number of the receive, chance. */
export function handleFor({ id, receives }: Held, chance: string): string {
  return `${id}.${receives}.${chance}`;
}

/** The message a handle of ours is for; undefined if it is no handle of ours. */
export function idOfHandle(receiptHandle: string): string | undefined {
  return /^([\da-f-]{36})\.\d+\.[\da-f-]{36}$/.exec(receiptHandle)?.[1];
}
