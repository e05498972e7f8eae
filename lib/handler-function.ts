import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { join } from 'node:path';

/** Names are resolved on libuv's threads: with its four, a few slow names would delay every other receiver's. */
const threads = '64';

/** Where a function runs that must have a fixed way out. */
export interface Network {
  readonly vpc: IVpc;
  readonly securityGroups: ISecurityGroup[];
}

export interface HandlerFunctionProps {
  /** Folder below `lambdas/` whose `handler.ts` runs. */
  readonly feature: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly key: IKey;
  /** Only for a function that sends to a queue which invokes it: Lambda takes that for a runaway loop after 16 hops. */
  readonly recursiveLoop?: lambda.RecursiveLoop;
  /** How many may run at once, taken from the account's for good; without it, or with 0, as many as the account has. */
  readonly reservedExecutions?: number;
  /** Without one it runs outside of any VPC, from where no private network can be reached. */
  readonly network?: Network | undefined;
}

/** A function of Tidings: Node 24, arm64, one ESM file with the SDK inside, JSON logs kept for 30 days. */
export class HandlerFunction extends NodejsFunction {
  public constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // A role of our own: the managed policy that CDK would attach may write to every log group there is.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    super(scope, id, {
      entry: join(import.meta.dirname, '..', 'lambdas', props.feature, 'handler.ts'),
      handler: 'handler',
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMb,
      environment: {
        ...props.environment,
        POWERTOOLS_SERVICE_NAME: id.toLowerCase(),
        UV_THREADPOOL_SIZE: threads,
      },
      environmentEncryption: props.key,
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      // START, END and REPORT lines cost $0.50 per GB and say nothing that a metric does not.
      systemLogLevelV2: lambda.SystemLogLevel.WARN,
      ...(props.reservedExecutions ? { reservedConcurrentExecutions: props.reservedExecutions } : {}),
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
      ...props.network,
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        minify: true,
        keepNames: true,
        bundleAwsSDK: true,
        mainFields: ['module', 'main'],
        // Dependencies in CommonJS call require, which an ES module does not have.
        banner:
          "import{createRequire as tidingsRequire}from'node:module';const require=tidingsRequire(import.meta.url);",
      },
    });
  }

  /** Has AWS X-Ray record its invocations, as often as the account's sampling rules say. */
  public trace(): void {
    const { defaultChild } = this.node;
    if (defaultChild instanceof lambda.CfnFunction) defaultChild.tracingConfig = { mode: 'Active' };
    const actions = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
    this.allow(actions, '*');
    const reason = 'Segments are no resource: these actions take no other (Service Authorization Reference).';
    if (this.role !== undefined) {
      Validations.of(this.role).acknowledge({ id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]', reason });
    }
  }

  /** Grants exactly these actions on these resources: CDK's own grants add wildcards (`kms:ReEncrypt*`, `index/*`). */
  public allow(actions: readonly string[], ...resources: readonly string[]): void {
    this.addToRolePolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
  }
}
