import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { policyOf } from './grants.ts';
import { nameOf, withoutHash } from './synthesized.ts';
import type { Resource } from './synthesized.ts';
import { mappings, ofType, stack } from './the-stack.ts';

const { template } = stack;

describe('queues', () => {
  const queues = ofType('AWS::SQS::Queue');

  it('are these', () => {
    expect(
      Object.fromEntries(queues.map(([id, queue]) => [withoutHash(id), queue.Properties['QueueName']])),
    ).toEqual({
      IngestEvents: 'tidings-events',
      IngestEventsFalling: 'tidings-events-falling',
      IngestEventsDead: 'tidings-events-dead',
      IngestBusDead: 'tidings-bus-dead',
      DeliveryDeliveries: 'tidings-deliveries',
      DeliveryRetries: 'tidings-retries',
      DeliveryFalling: 'tidings-falling',
      DeliveryDeliveriesDead: 'tidings-deliveries-dead',
      DeliveryLanesDead: 'tidings-lanes-dead',
      RecoveryQueue: 'tidings-recovery',
      RecoveryDead: 'tidings-recovery-dead',
    });
  });

  it.each(queues)('%s keeps messages for 14 days, encrypted with the key of the stack', (_id, queue) => {
    expect(queue.Properties).toMatchObject({ MessageRetentionPeriod: 14 * 86_400 });
    expect(nameOf(queue.Properties['KmsMasterKeyId'])).toBe('StorageKey');
  });

  it.each(queues)('%s is spoken to over TLS only', (id) => {
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: id }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sqs:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  it.each(mappings())(
    '%s hides a message for six times the timeout of its function',
    (_id, { queue, handler }) => {
      expect(queue.Properties['VisibilityTimeout']).toBe(6 * z.number().parse(handler.Properties['Timeout']));
    },
  );

  it('what lives is received fifty times before it is given up, a recovery twenty, what is dead already three times', () => {
    expect(Object.fromEntries(queues.map(([id, queue]) => [withoutHash(id), redriveOf(queue)]))).toEqual({
      IngestEvents: '50 to IngestEventsDead',
      // Of nobody: what is received fifty times there is our own fault alone.
      IngestEventsFalling: '3 to IngestEventsDead',
      IngestEventsDead: 'never',
      IngestBusDead: 'never',
      // One for both lanes: a redrive without destination returns each message to its own.
      DeliveryDeliveries: '50 to DeliveryLanesDead',
      DeliveryRetries: '50 to DeliveryLanesDead',
      DeliveryLanesDead: 'never',
      DeliveryFalling: '3 to DeliveryDeliveriesDead',
      DeliveryDeliveriesDead: 'never',
      RecoveryQueue: '20 to RecoveryDead',
      RecoveryDead: 'never',
    });
  });

  it('only `falling` feeds the dead letters, and may have them back: a redrive to source opens new rounds there', () => {
    const feeding = queues.filter(([, queue]) => redriveOf(queue).endsWith(' to DeliveryDeliveriesDead'));
    expect(feeding.map(([id]) => withoutHash(id))).toEqual(['DeliveryFalling']);
    // Without a policy of its own a queue takes dead letters of any queue, and gives them back.
    expect(queues.filter(([, { Properties }]) => 'RedriveAllowPolicy' in Properties)).toEqual([]);
    const taken = mappings().find(([from]) => from === 'DeliveryFalling');
    expect(taken?.[1].to).toBe('DeliveryDeliver');
  });
});

describe('the bus', () => {
  const rules = ofType('AWS::Events::Rule').filter(([, rule]) => 'EventPattern' in rule.Properties);

  it('hands on every event that names an organization, but not our own operator events', () => {
    expect(rules).toHaveLength(2);
    template.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      EventPattern: {
        source: [{ 'anything-but': ['tidings'] }],
        detail: { organizationId: [{ exists: true }] },
      },
    });
  });

  it('hands on every other event to where events of nobody fall: a misspelt organizationId left no trace', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      EventPattern: {
        source: [{ 'anything-but': ['tidings'] }],
        detail: { organizationId: [{ exists: false }] },
      },
      Targets: [Match.objectLike({ SqsParameters: { MessageGroupId: 'nobody' } })],
    });
    const [target] = targetsOf('IngestStrayRule');
    expect(nameOf(target?.Arn)).toBe('IngestEventsFalling');
    expect(nameOf(target?.DeadLetterConfig.Arn)).toBe('IngestBusDead');
  });

  const targetsOf = (name: string) => {
    const rule = rules.find(([id]) => withoutHash(id) === name);
    return z
      .array(z.looseObject({ Arn: z.unknown(), DeadLetterConfig: z.object({ Arn: z.unknown() }) }))
      .parse(rule?.[1].Properties['Targets']);
  };

  it('hands them to the queue of events, in fair groups by organization, else to a queue of its own', () => {
    const [target, ...others] = targetsOf('IngestRule');
    expect(others).toEqual([]);
    expect(nameOf(target?.Arn)).toBe('IngestEvents');
    expect(nameOf(target?.DeadLetterConfig.Arn)).toBe('IngestBusDead');
    expect(target).toMatchObject({ SqsParameters: { MessageGroupId: '$.detail.organizationId' } });
  });

  it('may use the key for the queue and for its dead letters, from this account only', () => {
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: Match.arrayWith(['kms:Decrypt', 'kms:GenerateDataKey*']),
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });

  it.each(['IngestEvents', 'IngestEventsFalling'])('may send to %s', (name) => {
    const allowed = ofType('AWS::SQS::QueuePolicy')
      .filter(([, policy]) =>
        z.array(z.unknown()).parse(policy.Properties['Queues']).map(nameOf).includes(name),
      )
      .flatMap(([, policy]) => policyOf(policy))
      .filter((statement) => statement.Effect === 'Allow');
    expect(allowed).toMatchObject([{ Principal: { Service: 'events.amazonaws.com' } }]);
    expect(allowed[0]?.Action).toContain('sqs:SendMessage');
    // Without a condition any account's EventBridge could.
    expect(allowed[0]?.Condition).toBeDefined();
  });
});

function redriveOf(queue: Resource): string {
  const shape = z.object({ maxReceiveCount: z.number(), deadLetterTargetArn: z.unknown() });
  const policy = shape.optional().parse(queue.Properties['RedrivePolicy']);
  return policy === undefined
    ? 'never'
    : `${policy.maxReceiveCount} to ${nameOf(policy.deadLetterTargetArn)}`;
}
