import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { callApi } from '../api-client.ts';
import type { Received } from './receiver.ts';
import type { Stage } from './stage.ts';
import { expect, step, until } from './steps.ts';

/** A dead message that was sent within a minute of its death is still falling. */
const fallingMs = 60_000;
const eventType = 'pipeline.run.failed';
/** Stands in the payload and must stand nowhere but in the deliveries. */
const marker = `payload-${crypto.randomUUID()}`;

/**
 * Plays an event's whole life, from its publication to the redrive of its dead letter.
 *
 * @throws Error with what was expected, at the first step that is not seen.
 */
export async function play(stage: Stage): Promise<void> {
  const { eventId, deadAtMs } = await playUntilDead(stage);
  await redrive(stage, deadAtMs);
  await step('the redriven delivery arrived, verified', () => seeArrival(stage));
  await step('the API explains it: every delivery of the event is delivered', () => seeEnd(stage, eventId));
}

/** The first part: published, delivered, retried, dead. */
export async function playUntilDead(stage: Stage): Promise<{ eventId: string; deadAtMs: number }> {
  await step('published through the AWS SDK', () => stage.publish(eventType, { runId: 77, marker }));
  const first = await step('delivered to an HTTPS receiver whose certificate was checked', () =>
    until('a request at /works', () => stage.receivedAt('works')[0]),
  );
  await step('verified by the stock standardwebhooks library', () => {
    expect(first.isVerified && first.statusCode === 204, 'a signature that standardwebhooks accepts');
    expect(first.body.includes(marker), 'the data that was published');
  });
  await step('retried until the receiver took it, after the right waits', () => seeRetries(stage));
  await step('same body and webhook-id on every attempt, a new timestamp each time', () => {
    seeSameWebhook(first, stage.receivedAt('flaky'));
  });
  await step('dead after its last attempt, and the API shows it', () =>
    seeDeadLetter(stage, first.webhookId),
  );
  return { eventId: first.webhookId, deadAtMs: await seeDeadMessage(stage, first.webhookId) };
}

/** The endpoint's policy: 1 s, then doubled, ±20 %, whole seconds rounded up by the queue's delay. */
async function seeRetries(stage: Stage): Promise<string> {
  const attempts = await until('a third attempt at /flaky', () => {
    const received = stage.receivedAt('flaky');
    return received.length >= 3 ? received : undefined;
  });
  expect(attempts.map(({ statusCode }) => statusCode).join() === '503,503,204', 'two failures, then success');
  const waitsMs = attempts.slice(1).map(({ atMs }, index) => atMs - (attempts[index]?.atMs ?? 0));
  for (const [index, waitMs] of waitsMs.entries()) {
    const backoffMs = 1000 * 2 ** index;
    const latestMs = Math.ceil((backoffMs * 1.2) / 1000) * 1000 + stage.slackMs;
    expect(waitMs >= backoffMs * 0.8 && waitMs <= latestMs, `a wait of about ${backoffMs} ms, not ${waitMs}`);
  }
  return waitsMs.map((waitMs) => `${(waitMs / 1000).toFixed(1)} s`).join(', ');
}

function seeSameWebhook(first: Received, attempts: readonly Received[]): void {
  for (const [index, attempt] of attempts.entries()) {
    expect(attempt.isVerified, 'a valid signature on every attempt');
    expect(attempt.body.equals(first.body), 'the same bytes on every attempt');
    expect(attempt.webhookId === first.webhookId, 'the same webhook-id on every attempt');
    const before = attempts[index - 1]?.timestampSeconds ?? 0;
    expect(attempt.timestampSeconds > before, 'a new timestamp on every attempt');
  }
}

const deadLetters = z.object({
  data: z.array(z.looseObject({ eventId: z.string(), endpointId: z.string(), lastError: z.string() })),
});

async function seeDeadLetter({ caller, organizationId, ...stage }: Stage, eventId: string): Promise<string> {
  const path = `/v1/organizations/${organizationId}/dead-letters`;
  const found = await until('a dead letter in the API', async () => {
    const { data } = await callApi(caller, { method: 'GET', path }, deadLetters);
    return data.find((one) => one.eventId === eventId && one.endpointId === stage.endpointIds['broken']);
  });
  return found.lastError;
}

const deadMessage = z.object({
  organizationId: z.string(),
  endpointId: z.string(),
  eventId: z.string(),
  eventType: z.string(),
  dead: z.object({ at: z.iso.datetime(), attempts: z.number(), lastError: z.string() }),
});

/** @returns when the delivery died. */
async function seeDeadMessage(stage: Stage, eventId: string): Promise<number> {
  const receive = new ReceiveMessageCommand({
    QueueUrl: stage.deadLetterQueueUrl,
    // Only looked at: it must be there for the redrive.
    VisibilityTimeout: 0,
    WaitTimeSeconds: 2,
  });
  const body = await step('its message is in the dead-letter queue', () =>
    until(
      'a message in the dead-letter queue',
      async () => (await stage.sqs.send(receive)).Messages?.[0]?.Body,
    ),
  );
  return step('the message explains itself and holds no payload', () => {
    const message = deadMessage.parse(JSON.parse(body));
    expect(message.eventId === eventId && message.eventType === eventType, 'the event and its type');
    expect(message.endpointId === stage.endpointIds['broken'], 'the endpoint');
    expect(message.dead.attempts === 4 && message.dead.lastError === 'http_500', 'attempts and last error');
    expect(!body.includes(marker), 'no payload in the queue');
    return Date.parse(message.dead.at);
  });
}

async function redrive(stage: Stage, deadAtMs: number): Promise<void> {
  const waitMs = Math.max(0, deadAtMs + fallingMs + 1000 - Date.now());
  console.log(`  (a message counts as still falling for a minute: waiting ${Math.ceil(waitMs / 1000)} s)`);
  await sleep(waitMs);
  await step('the receiver is repaired, the queue redriven with StartMessageMoveTask', async () => {
    stage.receiver.behave('/broken', () => 204);
    const attributes = new GetQueueAttributesCommand({
      QueueUrl: stage.deadLetterQueueUrl,
      AttributeNames: ['QueueArn'],
    });
    const { Attributes } = await stage.sqs.send(attributes);
    await stage.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: Attributes?.['QueueArn'] }));
  });
}

/** The receiver of what was dead has taken it at last. */
export async function seeArrival(stage: Stage): Promise<string> {
  const attempts = await until('a successful request at /broken', () => {
    const received = stage.receivedAt('broken');
    return received.at(-1)?.statusCode === 204 ? received : undefined;
  });
  for (const first of stage.receivedAt('works')) seeSameWebhook(first, attempts);
  return `attempt ${attempts.length}`;
}

const eventShown = z.object({ deliveries: z.array(z.looseObject({ status: z.string() })) });

/** All three deliveries of an event are delivered. */
export async function seeEnd({ caller, organizationId }: Stage, eventId: string): Promise<void> {
  const path = `/v1/organizations/${organizationId}/events/${eventId}`;
  await until('three deliveries, all delivered', async () => {
    const { deliveries } = await callApi(caller, { method: 'GET', path }, eventShown);
    return deliveries.length === 3 && deliveries.every(({ status }) => status === 'delivered')
      ? true
      : undefined;
  });
}
