import { z } from 'zod';
import { AwsError } from '../../aws/aws-error.ts';
import { dynamodbNeeds } from './dynamodb.ts';
import { kmsNeeds } from './kms.ts';
import { unknownCall } from './need.ts';
import type { Need, NeedsOf, Surroundings } from './need.ts';
import { secretsManagerNeeds } from './secrets-manager.ts';
import { sqsNeeds } from './sqs.ts';

/** By service, as the local AWS server names it. */
const byService: Readonly<Record<string, NeedsOf>> = {
  sqs: sqsNeeds,
  dynamodb: dynamodbNeeds,
  kms: kmsNeeds,
  secretsmanager: secretsManagerNeeds,
  events: eventsNeeds,
  tagging: taggingNeeds,
};

/**
 * The permissions that a call takes, the implied ones among them.
 *
 * @throws Error on a call whose permissions nobody has written down; AwsError when its input cannot be read, since what
 * cannot be judged must not be carried out.
 */
export function needsOf(
  { service, action, input }: { service: string; action: string; input: unknown },
  surroundings: Surroundings,
): readonly Need[] {
  const needs = byService[service] ?? unknownCall(service, action);
  try {
    return needs(action, input, surroundings);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new AwsError(
      'ValidationException',
      `It cannot be told which permissions ${service}:${action} takes.`,
    );
  }
}

const entries = z.looseObject({ Entries: z.array(z.looseObject({ EventBusName: z.string().optional() })) });

function eventsNeeds(action: string, input: unknown, { place }: Surroundings): readonly Need[] {
  if (action !== 'PutEvents') return unknownCall('events', action);
  const { region, accountId } = place;
  const buses = new Set(entries.parse(input).Entries.map(({ EventBusName = 'default' }) => EventBusName));
  return [...buses].map((bus) => ({
    action: 'events:PutEvents',
    resource: bus.startsWith('arn:') ? bus : `arn:aws:events:${region}:${accountId}:event-bus/${bus}`,
  }));
}

function taggingNeeds(action: string): readonly Need[] {
  if (action !== 'GetResources') return unknownCall('tag', action);
  return [{ action: 'tag:GetResources', resource: '*' }];
}
