import { z } from 'zod';

import {
  md5,
  md5OfAttributes,
  messageAttribute,
  type MessageAttribute,
  type OutgoingMessage,
  refusal,
  type StoredMessage,
} from './sqs-message.ts';
import { type Received, systemAttributes } from './sqs-received.ts';
import { traceOfRequest } from './trace-header.ts';

/** SQS's JSON shapes: what SendMessage and ReceiveMessage say on the wire. */
const names = z.array(z.string()).optional();

export const sendFields = {
  MessageBody: z.string(),
  DelaySeconds: z.number().optional(),
  MessageAttributes: z.record(z.string(), messageAttribute).optional(),
  /** The SDK's tracing may add this one; there is no other. */
  MessageSystemAttributes: z.strictObject({ AWSTraceHeader: messageAttribute.optional() }).optional(),
  MessageGroupId: z.string().optional(),
  MessageDeduplicationId: z.string().optional(),
};

export const receiveFields = {
  AttributeNames: names,
  MessageSystemAttributeNames: names,
  MessageAttributeNames: names,
  MaxNumberOfMessages: z.number().optional(),
  VisibilityTimeout: z.number().optional(),
  WaitTimeSeconds: z.number().optional(),
};
type Wanted = Partial<
  Record<'AttributeNames' | 'MessageSystemAttributeNames' | 'MessageAttributeNames', string[] | undefined>
>;

export function outgoing(input: z.output<z.ZodObject<typeof sendFields>>): OutgoingMessage {
  if (input.MessageDeduplicationId !== undefined) {
    throw refusal('InvalidParameterValue', 'MessageDeduplicationId is not valid for a standard queue.');
  }
  return {
    body: input.MessageBody,
    delaySeconds: input.DelaySeconds,
    groupId: input.MessageGroupId,
    attributes: input.MessageAttributes,
    traceHeader: input.MessageSystemAttributes?.AWSTraceHeader?.StringValue ?? traceOfRequest(),
  };
}

/** The digests are checked by the SDK: a wrong one is a failed send to it. */
export function sentFields({ id, body, attributes, traceHeader }: StoredMessage): object {
  const system =
    traceHeader === undefined ? {} : { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } };
  return {
    MessageId: id,
    MD5OfMessageBody: md5(body),
    MD5OfMessageAttributes: md5OfAttributes(attributes),
    MD5OfMessageSystemAttributes: md5OfAttributes(system),
  };
}

/** A received message with only those attributes that were asked for. */
export function receivedFields(received: Received, wanted: Wanted): object {
  const { id, body, attributes = {} } = received.message;
  const system = [...(wanted.AttributeNames ?? []), ...(wanted.MessageSystemAttributeNames ?? [])];
  const isSystemWanted = (name: string) => system.includes(name) || system.includes('All');
  const own = pick(attributes, (name) => isAttributeWanted(name, wanted.MessageAttributeNames ?? []));
  return {
    MessageId: id,
    ReceiptHandle: received.receiptHandle,
    MD5OfBody: md5(body),
    Body: body,
    Attributes: orNothing(pick(systemAttributes(received), isSystemWanted)),
    MessageAttributes: orNothing(own),
    MD5OfMessageAttributes: md5OfAttributes(own),
  };
}

/** SQS: names, `All`, `.*`, or a prefix with `.*` behind it. */
function isAttributeWanted(name: string, wanted: string[]): boolean {
  return wanted.some((want) => {
    if (want === 'All' || want === name) return true;
    return want.endsWith('.*') && (want === '.*' || name.startsWith(want.slice(0, -1)));
  });
}

function pick<Value extends string | MessageAttribute>(
  from: Record<string, Value>,
  isWanted: (name: string) => boolean,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => isWanted(name)));
}

function orNothing<Values extends object>(values: Values): Values | undefined {
  return Object.keys(values).length === 0 ? undefined : values;
}
