import { z } from 'zod';
import type { LocalAws } from '../aws/aws.ts';
import type { QueueDefinition } from '../aws/sqs-queue.ts';
import type { Maker } from './create.ts';
import { ignored } from './property.ts';

/** A rule that calls functions at an interval, to be started when everything is there. */
export interface ScheduledRule {
  readonly arn: string;
  readonly everyMs: number;
  readonly functionArns: readonly string[];
}

/** Queues with their redrive, buses, rules that bring events to queues, and rules that call functions in time. */
export function messagingMakers(
  { sqs, buses, setting: { region, accountId } }: Pick<LocalAws, 'sqs' | 'buses' | 'setting'>,
  addSchedule: (rule: ScheduledRule) => void,
): Readonly<Record<string, Maker>> {
  return {
    'AWS::SQS::Queue': async (logicalId, properties) => {
      const { url, arn, definition } = await sqs.createQueue(
        definitionOf(logicalId, queue.parse(properties)),
      );
      return { ref: url, attributes: { Arn: arn, QueueName: definition.name, QueueUrl: url } };
    },
    'AWS::Events::EventBus': (_logicalId, properties) => {
      const { Name: name } = eventBus.parse(properties);
      return { ref: name, attributes: { Arn: buses.createBus({ name }), Name: name } };
    },
    'AWS::Events::Rule': (logicalId, properties) => {
      if (scheduledRule.safeParse(properties).success) {
        const arn = `arn:aws:events:${region}:${accountId}:rule/Tidings-${logicalId}`;
        addSchedule({ arn, ...scheduleOf(scheduledRule.parse(properties)) });
        return { ref: logicalId, attributes: { Arn: arn } };
      }
      const wanted = rule.parse(properties);
      const name = wanted.Name ?? `Tidings-${logicalId}`;
      const arn = buses.createRule({
        name,
        busName: wanted.EventBusName,
        eventPattern: wanted.EventPattern,
        isEnabled: wanted.State === 'ENABLED',
        targets: wanted.Targets.map((target) => ({
          id: target.Id,
          queueArn: target.Arn,
          messageGroupIdPath: target.SqsParameters?.MessageGroupId,
          deadLetterQueueArn: target.DeadLetterConfig?.Arn,
        })),
      });
      return { ref: name, attributes: { Arn: arn } };
    },
    ...archiveMakers(buses),
  };
}

function archiveMakers(buses: LocalAws['buses']): Readonly<Record<string, Maker>> {
  return {
    'AWS::Events::Archive': (logicalId, properties) => {
      const wanted = archive.parse(properties);
      const name = `Tidings-${logicalId}`;
      const arn = buses.createArchive({
        name,
        busArn: wanted.SourceArn,
        eventPattern: wanted.EventPattern,
        keyArn: wanted.KmsKeyIdentifier,
      });
      return { ref: name, attributes: { Arn: arn } };
    },
  };
}

const archive = z.strictObject({
  SourceArn: z.string(),
  EventPattern: z.unknown(),
  KmsKeyIdentifier: z.string().optional(),
  Description: ignored,
  RetentionDays: ignored,
});

function definitionOf(logicalId: string, wanted: z.output<typeof queue>): QueueDefinition {
  const { RedrivePolicy: redrive } = wanted;
  return {
    name: wanted.QueueName ?? `Tidings-${logicalId}`,
    visibilityTimeoutSeconds: wanted.VisibilityTimeout,
    messageRetentionSeconds: wanted.MessageRetentionPeriod,
    delaySeconds: wanted.DelaySeconds,
    redrive: redrive && {
      deadLetterQueueArn: redrive.deadLetterTargetArn,
      maxReceiveCount: redrive.maxReceiveCount,
    },
  };
}

/** The defaults are those of SQS (API reference, SetQueueAttributes). */
const queue = z.strictObject({
  QueueName: z.string().optional(),
  VisibilityTimeout: z.number().default(30),
  MessageRetentionPeriod: z.number().default(345_600),
  DelaySeconds: z.number().default(0),
  RedrivePolicy: z
    .strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() })
    .optional(),
  KmsMasterKeyId: ignored,
  KmsDataKeyReusePeriodSeconds: ignored,
});

/** Only what is used: a rate. */
const rate = /^rate\((\d+) (minute|hour|day)s?\)$/;

const scheduledRule = z.strictObject({
  Description: ignored,
  ScheduleExpression: z.string().regex(rate),
  State: z.literal('ENABLED'),
  Targets: z.array(z.strictObject({ Id: z.string(), Arn: z.string() })),
});

const unitMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const rateParts = z.tuple([z.string(), z.coerce.number(), z.enum(['minute', 'hour', 'day'])]);

function scheduleOf({
  ScheduleExpression,
  Targets,
}: z.output<typeof scheduledRule>): Omit<ScheduledRule, 'arn'> {
  const [, count, unit] = rateParts.parse([...(rate.exec(ScheduleExpression) ?? [])]);
  return { everyMs: count * unitMs[unit], functionArns: Targets.map(({ Arn }) => Arn) };
}

const eventBus = z.strictObject({ Name: z.string(), Description: ignored });

const rule = z.strictObject({
  Name: z.string().optional(),
  Description: ignored,
  EventBusName: z.string(),
  EventPattern: z.unknown(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z.array(
    z.strictObject({
      Id: z.string(),
      Arn: z.string(),
      DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
      SqsParameters: z.strictObject({ MessageGroupId: z.string() }).optional(),
    }),
  ),
});
