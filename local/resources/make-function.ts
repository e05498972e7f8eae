import { z } from 'zod';
import { AwsError } from '../aws/aws-error.ts';
import { LocalFunction } from '../function.ts';
import type { OnLog } from '../function.ts';
import type { Hops, Runner } from '../permissions/hops.ts';
import type { Place } from './create.ts';
import { ignored } from './property.ts';

export interface MakeOptions {
  readonly place: Place;
  readonly assetFolders: ReadonlyMap<string, string>;
  /** Makes any AWS SDK talk to this process only. */
  readonly awsEnvironment: Readonly<Record<string, string>>;
  readonly extraCas: readonly string[];
  readonly namesAreLocal: boolean;
  readonly onLog: OnLog;
  /** Judges what Lambda does in the functions' names. */
  readonly hops: Hops;
}

export const lambdaFunction = z.strictObject({
  FunctionName: z.string().optional(),
  Code: z.strictObject({ S3Bucket: ignored, S3Key: z.string() }),
  Handler: z.string(),
  Runtime: z.literal('nodejs24.x'),
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.string()) }).optional(),
  LoggingConfig: z.looseObject({ LogGroup: z.string().optional() }).optional(),
  TracingConfig: z.strictObject({ Mode: z.literal('Active') }).optional(),
  Role: z.string(),
  KmsKeyArn: z.string().optional(),
  /** Where a function runs, and so its way out, is nothing on loopback; what making it takes is judged. */
  VpcConfig: z.looseObject({}).optional(),
  Architectures: ignored,
  Description: ignored,
  RecursiveLoop: ignored,
  ReservedConcurrentExecutions: ignored,
});

/** Who the function is, to whoever judges what it does. */
export function runnerOf(
  logicalId: string,
  wanted: z.output<typeof lambdaFunction>,
  { place: { region, accountId } }: MakeOptions,
): Runner {
  const name = wanted.FunctionName ?? `Tidings-${logicalId}`;
  const logGroup = wanted.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
  return {
    name,
    arn: `arn:aws:lambda:${region}:${accountId}:function:${name}`,
    role: wanted.Role.split('/').at(-1) ?? '',
    logGroupArn: `arn:aws:logs:${region}:${accountId}:log-group:${logGroup}:log-stream:local`,
    keyArn: wanted.KmsKeyArn,
    isTraced: wanted.TracingConfig !== undefined,
    isInNetwork: wanted.VpcConfig !== undefined,
  };
}

/** The function, not started yet. */
export function makeFunction(
  runner: Runner,
  wanted: z.output<typeof lambdaFunction>,
  options: MakeOptions,
): LocalFunction {
  const { name, arn } = runner;
  const { region } = options.place;
  const codeFolder = options.assetFolders.get(wanted.Code.S3Key);
  if (codeFolder === undefined) throw new Error(`There is no asset ${wanted.Code.S3Key}`);
  return new LocalFunction({
    name,
    arn,
    codeFolder,
    handler: wanted.Handler,
    timeoutSeconds: wanted.Timeout,
    environment: {
      ...wanted.Environment?.Variables,
      ...options.awsEnvironment,
      // By it the local AWS knows who calls.
      AWS_ACCESS_KEY_ID: name,
      AWS_DEFAULT_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(wanted.MemorySize),
      AWS_LAMBDA_LOG_GROUP_NAME: wanted.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: 'local',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    },
    extraCas: options.extraCas,
    namesAreLocal: options.namesAreLocal,
    onLog: loggedBy(runner, options),
    permit: {
      start: () => {
        options.hops.functionStarts(runner);
      },
      invoke: () => {
        options.hops.functionTraces(runner);
      },
    },
  });
}

/** Lambda writes the lines with the function's role; what it may not write is gone. */
function loggedBy(runner: Runner, { hops, onLog }: MakeOptions): OnLog {
  return function logBy(name, line) {
    try {
      hops.functionLogs(runner);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return;
    }
    onLog(name, line);
  };
}
