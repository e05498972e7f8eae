import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { synthesized, withoutHash } from './synthesized.ts';

const { template, resources } = synthesized({ egressZones: '2', receiverPorts: '443,8443' });
const ofType = (type: string) => [...resources].filter(([, { Type }]) => Type === type);

describe('deliveries with addresses of their own', () => {
  it('are no matter of the stack by default', () => {
    const types = [...synthesized().resources.values()].map(({ Type }) => Type);
    expect(types.filter((type) => type.startsWith('AWS::EC2::'))).toEqual([]);
  });

  it('come from the functions that speak to receivers, and from no other', () => {
    const inside = ofType('AWS::Lambda::Function').filter(([, { Properties }]) => 'VpcConfig' in Properties);
    expect(inside.map(([id]) => withoutHash(id)).toSorted()).toEqual(['DeliveryDeliver', 'TesterTest']);
  });

  it('leave through a NAT gateway in each zone, whose address stays when the stack goes', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 2);
    const addresses = ofType('AWS::EC2::EIP');
    expect(addresses.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual([
      'RetainExceptOnCreate',
      'RetainExceptOnCreate',
    ]);
    const [one, two] = addresses.map(([id]) => id);
    template.hasOutput('EgressAddresses', {
      Value: { 'Fn::Join': ['', [{ Ref: one }, ',', { Ref: two }]] },
    });
  });

  it('go to the ports of receivers and of AWS only, and nothing comes in', () => {
    template.resourceCountIs('AWS::EC2::SecurityGroup', 1);
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [443, 8443].map((port) =>
        Match.objectLike({ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: port, ToPort: port }),
      ),
      SecurityGroupIngress: Match.absent(),
    });
    for (const type of [
      'AWS::EC2::SecurityGroupIngress',
      'AWS::EC2::VPCPeeringConnection',
      'AWS::EC2::VPNGateway',
    ]) {
      template.resourceCountIs(type, 0);
    }
  });

  it('reach DynamoDB past the NAT gateway', () => {
    template.resourceCountIs('AWS::EC2::VPCEndpoint', 1);
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
  });

  it('are made by code that may not touch the interfaces that Lambda makes for it', () => {
    const policies = ofType('AWS::IAM::Policy').filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes('ec2:CreateNetworkInterface'),
    );
    expect(policies).toHaveLength(2);
    for (const [, { Properties }] of policies) {
      expect(Properties).toMatchObject({
        PolicyDocument: {
          Statement: expect.arrayContaining([
            expect.objectContaining({
              Effect: 'Deny',
              Action: expect.arrayContaining([
                'ec2:CreateNetworkInterface',
                'ec2:DeleteNetworkInterface',
              ]) as unknown,
              Condition: { ArnLike: { 'lambda:SourceFunctionArn': expect.anything() as unknown } },
            }),
          ]) as unknown,
        },
      });
    }
  });

  it('change no logical id of what holds data', () => {
    const stateful = ['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::SQS::Queue', 'AWS::Cognito::UserPool'];
    const idsOf = (all: typeof resources) =>
      [...all].filter(([, { Type }]) => stateful.includes(Type)).map(([id]) => id);
    expect(idsOf(resources)).toEqual(idsOf(synthesized().resources));
    expect(idsOf(resources).length).toBeGreaterThan(10);
  });
});

describe('the archive', () => {
  it('is there when it is asked for, encrypted, and keeps what producers published', () => {
    synthesized().template.resourceCountIs('AWS::Events::Archive', 0);
    synthesized({ archiveDays: '30' }).template.hasResourceProperties('AWS::Events::Archive', {
      RetentionDays: 30,
      EventPattern: { source: [{ 'anything-but': ['tidings'] }] },
      KmsKeyIdentifier: Match.anyValue(),
    });
  });
});
