import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nameOf, synthesized } from './synthesized.ts';
import type { Resource } from './synthesized.ts';

const settings: readonly Readonly<Record<string, string>>[] = [
  {},
  {
    tracing: 'true',
    egressZones: '2',
    archiveDays: '30',
    alarmEmail: 'night@acme.example',
    programs: 'org_1',
    canary: 'true',
  },
];

const tableKey = z.object({ KMSMasterKeyId: z.unknown() });

/** Types that keep something, and where they say by which key. */
const keyOf: Readonly<Record<string, (properties: Resource['Properties']) => unknown>> = {
  'AWS::DynamoDB::Table': ({ SSESpecification }) => tableKey.parse(SSESpecification).KMSMasterKeyId,
  'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::SNS::Topic': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::Lambda::Function': ({ KmsKeyArn }) => KmsKeyArn,
  'AWS::Events::Archive': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
};

/** Types that have no key of the customer's, and why. */
const without: Readonly<Record<string, string>> = {
  'AWS::Logs::LogGroup': 'ids and outcomes only; encrypted by CloudWatch with its own key (docs/security.md)',
  'AWS::Events::EventBus': 'keeps nothing but events on their way; encrypted by EventBridge with its own key',
  'AWS::Cognito::UserPool': 'takes no key for what it keeps',
};

/** Types that keep nothing of anybody's. */
const keepNothing =
  /^AWS::(ApiGatewayV2::|CDK::Metadata|CloudWatch::|Cognito::(ManagedLoginBranding|UserPool(Client|Domain|Group|ResourceServer))|EC2::|Events::Rule|IAM::|KMS::Key|Lambda::(EventInvokeConfig|EventSourceMapping|Permission|Url)|Logs::(MetricFilter|QueryDefinition)|SNS::(Subscription|TopicPolicy)|SQS::QueuePolicy)/;

describe.each(settings)('with the settings %j', (given) => {
  const all = [...synthesized(given).resources];

  it('whatever keeps something is encrypted with the key of the stack, or it is written down why not', () => {
    const unknown = all.filter(
      ([, { Type }]) => !(Type in keyOf) && !(Type in without) && !keepNothing.test(Type),
    );
    expect(unknown.map(([id, { Type }]) => `${id}: ${Type}`)).toEqual([]);
    const keeping = all.flatMap(([id, { Type, Properties }]) => {
      const read = keyOf[Type];
      return read === undefined ? [] : [[id, nameOf(read(Properties) ?? 'none')] as const];
    });
    expect(keeping.length).toBeGreaterThan(15);
    expect(keeping.filter(([, key]) => key !== 'StorageKey')).toEqual([]);
  });

  it('every log is kept for a month and no longer', () => {
    const logs = all.filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup');
    expect(logs.length).toBeGreaterThan(9);
    expect(logs.filter(([, { Properties }]) => Properties['RetentionInDays'] !== 30)).toEqual([]);
  });

  it('there is no bucket that could be public, and every queue and topic is spoken to over TLS', () => {
    expect(all.filter(([, { Type }]) => Type.startsWith('AWS::S3::'))).toEqual([]);
    const spoken = all.filter(([, { Type }]) => ['AWS::SQS::Queue', 'AWS::SNS::Topic'].includes(Type));
    const policies = all
      .filter(([, { Type }]) => ['AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'].includes(Type))
      .map(([, { Properties }]) => JSON.stringify(Properties))
      .filter((text) => text.includes('"aws:SecureTransport":"false"') && text.includes('"Effect":"Deny"'));
    expect(spoken.filter(([id]) => !policies.some((text) => text.includes(`"${id}"`)))).toEqual([]);
  });
});
