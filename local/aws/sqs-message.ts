import { createHash } from 'node:crypto';

import { z } from 'zod';

import { AwsError } from './aws-error.ts';

/** SQS: a message, and the sum of a batch, has at most 1 MiB; attributes count as well. */
export const messageBytesMax = 1_048_576;
/** SQS: what waits longer is a row. */
const delaySecondsMax = 900;
const attributesMax = 10;
/** SQS: MessageGroupId is 1 to 128 alphanumeric characters and punctuation. */
const groupIdPattern = /^[\x21-\x7e]{1,128}$/;
const attributeNamePattern = /^(?!(aws|amazon)\.)[\w-]+(\.[\w-]+)*$/i;
const attributeTypePattern = /^(String|Number|Binary)(\..+)?$/;
/** SQS: the characters XML 1.0 can carry; everything else is refused, so that a test learns of it here. */
const bodyPattern = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]+$/u;

export const messageAttribute = z.strictObject({
  DataType: z.string(),
  StringValue: z.string().optional(),
  /** In base64, as on the wire. */
  BinaryValue: z.base64().optional(),
});
export type MessageAttribute = z.output<typeof messageAttribute>;

/** A message as a sender gives it. */
export interface OutgoingMessage {
  body: string;
  /** Instead of the queue's own delay. */
  delaySeconds?: number | undefined;
  groupId?: string | undefined;
  attributes?: Record<string, MessageAttribute> | undefined;
  traceHeader?: string | undefined;
}

export const storedMessage = z.strictObject({
  id: z.string(),
  body: z.string(),
  groupId: z.string().optional(),
  attributes: z.record(z.string(), messageAttribute).optional(),
  traceHeader: z.string().optional(),
  /** Milliseconds. Stays what it was when the message moves to a dead-letter queue, and retention counts from it. */
  sentAt: z.number(),
  visibleAt: z.number(),
  /** The queue it was moved here from; a message sent here has none, and cannot be redriven to its source. */
  sourceArn: z.string().optional(),
  /** How often it had been received when it moved here: its count goes on. */
  receives: z.number().optional(),
});
/** A message as it is kept. Its receive count in this queue is not: after a restart it starts again. */
export type StoredMessage = z.output<typeof storedMessage>;

/** Refuses what SQS refuses in one message, as `InvalidParameterValue` and the like. */
export function checkMessage(message: OutgoingMessage): void {
  if (message.body === '')
    throw refusal('MissingParameter', 'The request must contain the parameter MessageBody.');
  if (!bodyPattern.test(message.body)) {
    throw refusal('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  }
  checkRange('DelaySeconds', message.delaySeconds, delaySecondsMax);
  if (message.groupId !== undefined && !isGroupId(message.groupId)) {
    throw invalid('MessageGroupId', 'Must be 1 to 128 alphanumeric characters or punctuation');
  }
  checkAttributes(message.attributes ?? {});
  if (messageBytes(message) > messageBytesMax) {
    throw invalid('MessageBody', `Message must be shorter than ${messageBytesMax} bytes`);
  }
}

export function isGroupId(value: string): boolean {
  return groupIdPattern.test(value);
}

/** Refuses a number of seconds that is no integer from 0 to `max`: SQS never clips. */
export function checkRange(name: string, seconds: number | undefined, max: number): void {
  if (seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= max)) return;
  throw invalid(name, `Must be >= 0 and <= ${max}, if provided, but is ${seconds}`);
}

/** What counts towards 1 MiB: the body, and name, type and value of each attribute. */
export function messageBytes({ body, attributes = {} }: OutgoingMessage): number {
  const sizes = Object.entries(attributes).map(
    ([name, { DataType, StringValue = '', BinaryValue = '' }]) =>
      Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(BinaryValue, 'base64'),
  );
  return sizes.reduce((sum, size) => sum + size, Buffer.byteLength(body));
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/**
 * The digest callers may check: attributes by name, each part with its length before it.
 * Source: SQS developer guide, "Calculating the MD5 message digest for message attributes".
 */
export function md5OfAttributes(attributes: Record<string, MessageAttribute> = {}): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  for (const name of names) {
    const { DataType = '', StringValue = '', BinaryValue } = attributes[name] ?? {};
    const isBinary = BinaryValue !== undefined;
    hash.update(withLength(Buffer.from(name))).update(withLength(Buffer.from(DataType)));
    hash.update(Buffer.of(isBinary ? 2 : 1));
    hash.update(withLength(isBinary ? Buffer.from(BinaryValue, 'base64') : Buffer.from(StringValue)));
  }
  return hash.digest('hex');
}

export function refusal(code: string, message: string): AwsError {
  return new AwsError(code, message);
}

/** SQS's answer to a parameter out of bounds. */
export function invalid(parameter: string, reason: string): AwsError {
  return refusal('InvalidParameterValue', `Value for parameter ${parameter} is invalid. Reason: ${reason}.`);
}

function checkAttributes(attributes: Record<string, MessageAttribute>): void {
  const entries = Object.entries(attributes);
  if (entries.length > attributesMax)
    throw invalid('MessageAttributes', `At most ${attributesMax} are allowed`);
  for (const [name, { DataType, StringValue, BinaryValue }] of entries) {
    if (name.length > 256 || !attributeNamePattern.test(name))
      throw invalid('MessageAttributes', 'A name is invalid');
    const type = attributeTypePattern.exec(DataType)?.[1];
    if (type === undefined)
      throw invalid(`MessageAttributes.${name}`, 'The type must be String, Number or Binary');
    const [value, other] = type === 'Binary' ? [BinaryValue, StringValue] : [StringValue, BinaryValue];
    if (!value || other !== undefined) {
      throw invalid(`MessageAttributes.${name}`, 'It must have one value, not empty, of its type');
    }
  }
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
