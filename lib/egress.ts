import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { HandlerFunction, Network } from './handler-function.ts';

export interface EgressProps {
  /** Each has its own address and NAT gateway, so that the end of one zone is not the end of all deliveries. */
  readonly zones: number;
  /** On which receivers may listen. */
  readonly ports: readonly number[];
}

/**
 * A network whose way out has addresses that never change, for receivers that allow only known ones. It leads nowhere
 * else: no peering, no other way in or out.
 */
export class Egress extends Construct {
  public readonly network: Network;
  /** Public IPv4 addresses that deliveries come from. */
  public readonly addresses: readonly string[];

  public constructor(scope: Construct, id: string, { zones, ports }: EgressProps) {
    super(scope, id);
    const addresses = Array.from({ length: zones }, (_, index) =>
      this.address(`Address${String(index + 1)}`),
    );
    this.addresses = addresses.map(({ ref }) => ref);
    // @ts-expect-error CDK declares vpnGatewayId of Vpc as it is not in IVpc, under exactOptionalPropertyTypes.
    const vpc: ec2.IVpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: zones,
      natGatewayProvider: ec2.NatProvider.gateway({
        eipAllocationIds: addresses.map(({ attrAllocationId }) => attrAllocationId),
      }),
      subnetConfiguration: [
        { name: 'Out', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        { name: 'Functions', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
      // Nothing is in the default group; to empty it would take a function of CDK's own.
      restrictDefaultSecurityGroup: false,
    });
    // Free, and most calls of a delivery: they do not pass the NAT gateway, which costs by the GB.
    vpc.addGatewayEndpoint('DynamoDb', { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB });
    this.logRejected(vpc);
    const group = new ec2.SecurityGroup(this, 'Out', {
      vpc,
      description: 'Tidings: out to receivers and AWS, and nothing in',
      allowAllOutbound: false,
    });
    for (const port of new Set([443, ...ports])) group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(port));
    this.network = { vpc, securityGroups: [group] };
  }

  /** Kept when the stack goes, unless it never came to be: customers have it in their firewalls, and it cannot be had again. */
  private address(id: string): ec2.CfnEIP {
    const address = new ec2.CfnEIP(this, id, { domain: 'vpc' });
    address.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    return address;
  }

  /** What was kept from going out or coming in: nobody should try. */
  private logRejected(vpc: ec2.IVpc): void {
    const logGroup = new LogGroup(this, 'Rejected', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const role = new Role(this, 'RejectedRole', {
      assumedBy: new ServicePrincipal('vpc-flow-logs.amazonaws.com'),
    });
    vpc.addFlowLog('Rejected', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup, role),
      trafficType: ec2.FlowLogTrafficType.REJECT,
    });
  }
}

/**
 * Lets Lambda, but not the code of the function, make the network interfaces that a function in a network needs.
 * Source: Lambda Developer Guide, "Required IAM permissions" of VPC access.
 */
export function allowInterfaces(handler: HandlerFunction): void {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ];
  handler.allow(actions, '*');
  const { partition, region, account, stackName } = Stack.of(handler);
  handler.addToRolePolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      actions,
      resources: ['*'],
      conditions: {
        ArnLike: {
          'lambda:SourceFunctionArn': `arn:${partition}:lambda:${region}:${account}:function:${stackName}-*`,
        },
      },
    }),
  );
  if (handler.role === undefined) return;
  Validations.of(handler.role).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
    reason:
      'Interfaces get their ids when Lambda makes them; the code of the function is denied the same actions.',
  });
}
