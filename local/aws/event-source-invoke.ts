import type { Context, SQSEvent, SQSMessageAttributes, SQSRecord } from 'aws-lambda';
import { z } from 'zod';

import type { Clock } from './clock.ts';
import type { Setting } from './setting.ts';
import { md5, md5OfAttributes } from './sqs-message.ts';
import { type Received, systemAttributes } from './sqs-received.ts';

/** How an invocation ended. */
export type Outcome = { kind: 'returned'; result: unknown } | { kind: 'failed'; problem: string };

interface Invocation {
  setting: Setting;
  functionArn: string;
  timeoutSeconds: number;
  requestId: string;
  invoke: (event: SQSEvent, context: Context) => unknown;
}

/**
 * Invokes the function with a deadline by the clock. A function that outlives it has failed, but unlike in Lambda it
 * goes on running in this process; what it still does is as if a frozen environment had been thawed.
 */
export function invokeWithin(event: SQSEvent, invocation: Invocation): Promise<Outcome> {
  const { setting, timeoutSeconds, invoke } = invocation;
  return new Promise((resolve) => {
    const deadline = setting.clock.now() + timeoutSeconds * 1000;
    const cancel = setting.clock.after(timeoutSeconds * 1000, () => {
      resolve({ kind: 'failed', problem: `timed out after ${timeoutSeconds} seconds` });
    });
    const end = (outcome: Outcome) => {
      cancel();
      resolve(outcome);
    };
    Promise.resolve()
      .then(() => invoke(event, contextFor(invocation, { clock: setting.clock, deadline })))
      .then(
        (result) => {
          end({ kind: 'returned', result });
        },
        (error: unknown) => {
          end({
            kind: 'failed',
            problem: `threw ${error instanceof Error ? (error.stack ?? error.name) : String(error)}`,
          });
        },
      );
  });
}

const batchResponse = z.object({
  batchItemFailures: z.array(z.strictObject({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * The messages of a batch that have failed. Lambda fails the whole batch when the answer is malformed, names nothing,
 * or names what was not in it; no answer, or an empty list, is success of all.
 * Source: services-sqs-errorhandling, "Success and failure conditions".
 */
export function failedIn(
  outcome: Outcome,
  { ids, isReported }: { ids: string[]; isReported: boolean },
): { ids: Set<string>; problem?: string } {
  const all = new Set(ids);
  if (outcome.kind === 'failed') return { ids: all, problem: outcome.problem };
  if (!isReported) return { ids: new Set() };
  const answer = asJson(outcome.result);
  if (answer === undefined || answer === null) return { ids: new Set() };
  const response = batchResponse.safeParse(answer);
  if (!response.success || isUnknownShape(answer))
    return { ids: all, problem: 'its batch response is malformed' };
  const failed = (response.data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  if (failed.some((id) => !all.has(id)))
    return { ids: all, problem: 'its batch response names an unknown message' };
  return { ids: new Set(failed) };
}

/** The record a function sees. Attributes are strings, binary values base64. */
export function recordOf(received: Received, { arn, region }: { arn: string; region: string }): SQSRecord {
  const { id, body, attributes = {} } = received.message;
  const digest = md5OfAttributes(attributes);
  const messageAttributes: SQSMessageAttributes = {};
  for (const [
    name,
    { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue },
  ] of Object.entries(attributes)) {
    messageAttributes[name] = {
      stringValue,
      binaryValue,
      stringListValues: [],
      binaryListValues: [],
      dataType,
    };
  }
  return {
    messageId: id,
    receiptHandle: received.receiptHandle,
    body,
    attributes: systemAttributes(received),
    messageAttributes,
    md5OfBody: md5(body),
    ...(digest !== undefined && { md5OfMessageAttributes: digest }),
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: region,
  };
}

function contextFor(
  { functionArn, requestId }: Invocation,
  { clock, deadline }: { clock: Clock; deadline: number },
): Context {
  const functionName = functionArn.split(':')[6] ?? functionArn;
  const callbacksAreGone = () => {
    throw new Error('Node 24 functions answer by return value, not by context callbacks.');
  };
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: '512',
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, deadline - clock.now()),
    /* eslint-disable @typescript-eslint/no-deprecated -- the type still asks for them */
    done: callbacksAreGone,
    fail: callbacksAreGone,
    succeed: callbacksAreGone,
    /* eslint-enable @typescript-eslint/no-deprecated */
  };
}

/** An object that has other fields but not the one that counts is a wrong key, and nobody would notice it as success. */
function isUnknownShape(answer: object): boolean {
  return Object.keys(answer).length > 0 && !('batchItemFailures' in answer);
}

/** What would arrive: Lambda carries the answer as JSON. What JSON cannot carry is malformed. */
function asJson(result: unknown): unknown {
  try {
    const text: unknown = JSON.stringify(result);
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return 'not JSON';
  }
}
