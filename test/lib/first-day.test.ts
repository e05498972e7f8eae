import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { policyOf } from './grants.ts';
import { nameOf, synthesized } from './synthesized.ts';

const { resources } = synthesized();
const of = (type: string) => [...resources.values()].filter(({ Type }) => Type === type);

describe('an alarm', () => {
  // A policy of a topic takes the place of SNS's own, by which everything in the account may publish.
  it('is let in by the policy of its topic, from this account alone', () => {
    const [topicPolicy, ...others] = of('AWS::SNS::TopicPolicy');
    expect(others).toEqual([]);
    const statements = topicPolicy === undefined ? [] : policyOf(topicPolicy);
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.map(({ Sid: _, ...statement }) => statement)).toEqual([
      {
        Effect: 'Allow',
        Action: ['sns:Publish'],
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        Resource: [{ Ref: expect.stringMatching(/^MonitoringAlarms/) as string }],
      },
    ]);
  });

  it('may encrypt what it says', () => {
    const statements = of('AWS::KMS::Key').flatMap(policyOf);
    const own = statements.filter(
      ({ Principal }) => JSON.stringify(Principal) === '{"Service":"cloudwatch.amazonaws.com"}',
    );
    expect(own.flatMap(({ Action }) => Action)).toEqual(
      expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey*']),
    );
  });
});

describe('the access log of the API', () => {
  const [stage] = of('AWS::ApiGatewayV2::Stage');
  const { AccessLogSettings: settings } = z
    .object({ AccessLogSettings: z.object({ Format: z.string(), DestinationArn: z.unknown() }) })
    .parse(stage?.Properties);
  const format = z.record(z.string(), z.string()).parse(JSON.parse(settings.Format));

  it('says of each request its path, its status, and why it was refused', () => {
    expect(format).toMatchObject({
      requestId: '$context.requestId',
      path: '$context.path',
      status: '$context.status',
      error: '$context.error.message',
      authorizerError: '$context.authorizer.error',
      integrationError: '$context.integrationErrorMessage',
    });
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
  it('uses variables of HTTP APIs only, and none that may hold a secret', () => {
    const known =
      /^\$context\.(requestId|requestTime|identity\.sourceIp|httpMethod|path|routeKey|status|responseLength|responseLatency|error\.(message|responseType)|authorizer\.error|integrationStatus|integrationErrorMessage)$/;
    expect(Object.values(format).filter((variable) => !known.test(variable))).toEqual([]);
  });

  it('has a name that needs no place in the policy of the account', () => {
    const names = of('AWS::Logs::LogGroup').map(({ Properties }) =>
      JSON.stringify(Properties['LogGroupName'] ?? ''),
    );
    // Its end is of the stack's id: the group outlives the stack, and another of the same stage needs a name of its own.
    expect(names.filter((name) => name.includes('"/aws/vendedlogs/tidings-api-",'))).toHaveLength(1);
    expect(nameOf(settings.DestinationArn)).toMatch(/AccessLog/);
  });
});
