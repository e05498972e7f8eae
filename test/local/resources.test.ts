import { describe, expect, it } from 'vitest';
import { createAll } from '../../local/resources/create.ts';
import type { Maker } from '../../local/resources/create.ts';
import { messagingMakers } from '../../local/resources/messaging.ts';
import { EventBuses } from '../../local/aws/event-bus.ts';
import { aSetting } from '../../local/aws/setting.ts';
import { Sqs } from '../../local/aws/sqs.ts';
import { parseTemplate } from '../../local/template.ts';

const place = { region: 'us-east-1', accountId: '000000000000' };

/** Creates resources of the made-up type `T`, noting them in order. */
async function create(Resources: object, Outputs: object = {}) {
  const made: [string, unknown][] = [];
  const maker: Maker = (logicalId, properties) => {
    made.push([logicalId, properties]);
    return { ref: `ref-${logicalId}`, attributes: { Arn: `arn-${logicalId}` } };
  };
  const outputs = await createAll(parseTemplate({ Resources, Outputs }), { T: maker }, place);
  return { made, outputs };
}

describe('createAll', () => {
  it('creates a resource after those it refers to or depends on', async () => {
    const { made } = await create({
      A: { Type: 'T', Properties: { of: { 'Fn::GetAtt': ['B', 'Arn'] }, in: { Ref: 'AWS::Region' } } },
      B: { Type: 'T', DependsOn: 'C' },
      C: { Type: 'T' },
    });
    expect(made).toEqual([
      ['C', {}],
      ['B', {}],
      ['A', { of: 'arn-B', in: 'us-east-1' }],
    ]);
  });

  it('gives the outputs by name', async () => {
    const { outputs } = await create({ A: { Type: 'T' } }, { Name: { Value: { Ref: 'A' } } });
    expect(outputs).toEqual({ Name: 'ref-A' });
  });

  it('passes over what only watches', async () => {
    const { made } = await create({
      Board: { Type: 'AWS::CloudWatch::Dashboard' },
      A: { Type: 'T', Properties: { board: { 'Fn::GetAtt': ['Board', 'Arn'] } } },
    });
    expect(made.map(([id]) => id)).toEqual(['A']);
  });

  it.each([
    ['a type', { A: { Type: 'AWS::Unknown::Thing' } }, 'AWS::Unknown::Thing'],
    ['a reference', { A: { Type: 'T', Properties: { x: { Ref: 'Nobody' } } } }, 'Nobody'],
    [
      'an attribute',
      { A: { Type: 'T', Properties: { x: { 'Fn::GetAtt': ['B', 'No'] } } }, B: { Type: 'T' } },
      'B.No',
    ],
    ['a circle', { A: { Type: 'T', DependsOn: 'B' }, B: { Type: 'T', DependsOn: 'A' } }, 'circle at A'],
  ])('refuses %s that it cannot make sense of', async (_what, resources, name) => {
    await expect(create(resources)).rejects.toThrow(name);
  });
});

describe('queues', () => {
  const createQueues = (Resources: object) => {
    const setting = aSetting();
    const sqs = new Sqs(setting);
    const makers = messagingMakers({ sqs, setting, buses: new EventBuses(setting, sqs) }, () => undefined);
    return createAll(parseTemplate({ Resources }), makers, place).then(() => sqs);
  };

  it('have the times and the redrive of the template', async () => {
    const sqs = await createQueues({
      Work: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          QueueName: 'work',
          VisibilityTimeout: 270,
          MessageRetentionPeriod: 1_209_600,
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 5 },
        },
      },
      Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
    });
    expect(sqs.queueByName('work').definition).toMatchObject({
      visibilityTimeoutSeconds: 270,
      messageRetentionSeconds: 1_209_600,
      redrive: { deadLetterQueueArn: sqs.queueByName('dead').arn, maxReceiveCount: 5 },
    });
  });

  it('with a property that is not known are refused by its name', async () => {
    const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q.fifo', FifoQueue: true } };
    await expect(createQueues({ Q: queue })).rejects.toThrow('FifoQueue');
  });
});

describe('rules in time', () => {
  const createRule = async (ScheduleExpression: string) => {
    const setting = aSetting();
    const sqs = new Sqs(setting);
    const rules: unknown[] = [];
    const makers = messagingMakers({ sqs, setting, buses: new EventBuses(setting, sqs) }, (rule) =>
      rules.push(rule),
    );
    const Properties = { ScheduleExpression, State: 'ENABLED', Targets: [{ Id: 'Target0', Arn: 'arn' }] };
    await createAll(
      parseTemplate({ Resources: { R: { Type: 'AWS::Events::Rule', Properties } } }),
      makers,
      place,
    );
    return rules;
  };

  it.each([
    ['rate(15 minutes)', 900_000],
    ['rate(1 hour)', 3_600_000],
    ['rate(2 days)', 172_800_000],
  ])('of %s call their function at that interval', async (expression, everyMs) => {
    expect(await createRule(expression)).toEqual([
      { arn: 'arn:aws:events:us-east-1:000000000000:rule/Tidings-R', everyMs, functionArns: ['arn'] },
    ]);
  });

  it.each(['cron(0 12 * * ? *)', 'rate(3 weeks)', 'rate(1.5 hours)'])(
    'of %s are refused: they are not known',
    async (expression) => {
      await expect(createRule(expression)).rejects.toThrow();
    },
  );
});
