import { z } from 'zod';
import { AwsError } from '../aws/aws-error.ts';
import type { ServerIdentity } from '../demo/authority.ts';
import { LocalFunction } from '../function.ts';
import { serveFunctionUrl } from '../function-url.ts';
import type { FunctionUrl } from '../function-url.ts';
import type { OnLog } from '../function.ts';
import type { Hops, Runner } from '../permissions/hops.ts';
import type { Maker, Place } from './create.ts';
import { ignored } from './property.ts';

export interface FunctionsOptions {
  readonly place: Place;
  readonly assetFolders: ReadonlyMap<string, string>;
  /** Makes any AWS SDK talk to this process only. */
  readonly awsEnvironment: Readonly<Record<string, string>>;
  readonly extraCas: readonly string[];
  /** What functions at a URL of their own show; their authority is trusted by all functions. */
  readonly urlIdentity?: ServerIdentity | undefined;
  readonly namesAreLocal: boolean;
  readonly onLog: OnLog;
  /** Judges what Lambda does in the functions' names. */
  readonly hops: Hops;
}

/** A queue that feeds a function, to be started when everything is there. */
export interface Mapping {
  readonly queueArn: string;
  readonly permit: { readonly receive: () => void; readonly delete: () => void };
  readonly function: Pick<LocalFunction, 'arn' | 'timeoutSeconds' | 'invoke'>;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly maximumConcurrency: number | undefined;
  readonly reportsItemFailures: boolean;
}

/** Functions, each with the bundle that would be deployed, and the mappings that feed them from queues. */
export class Functions {
  public readonly makers: Readonly<Record<string, Maker>>;
  readonly #options: FunctionsOptions;
  readonly #functions: LocalFunction[] = [];
  readonly #mappings: Mapping[] = [];
  readonly #urls: FunctionUrl[] = [];
  readonly #variables = new Map<string, string>();
  readonly #runners = new Map<string, Runner>();

  public constructor(options: FunctionsOptions) {
    this.#options = options;
    this.makers = {
      'AWS::Lambda::Function': (logicalId, properties) => {
        const made = this.#addFunction(logicalId, lambdaFunction.parse(properties));
        return { ref: made.name, attributes: { Arn: made.arn } };
      },
      'AWS::Lambda::Url': async (logicalId, properties) => {
        const { TargetFunctionArn } = functionUrl.parse(properties);
        return { ref: logicalId, attributes: { FunctionUrl: await this.#addUrl(TargetFunctionArn) } };
      },
      'AWS::Lambda::EventSourceMapping': (logicalId, properties) => {
        this.#addMapping(mapping.parse(properties));
        return { ref: logicalId };
      },
    };
  }

  public all(): readonly LocalFunction[] {
    return this.#functions;
  }

  public async stop(): Promise<void> {
    await Promise.all([...this.#urls, ...this.#functions].map((one) => one.stop()));
  }

  public mappings(): readonly Mapping[] {
    return this.#mappings;
  }

  /** By ARN, or by name as a mapping gives it. */
  public byArn(arn: string): LocalFunction {
    const found = this.#functions.find((one) => one.arn === arn || one.name === arn);
    if (found === undefined) throw new Error(`There is no function ${arn}`);
    return found;
  }

  /** The value under which any function knows a variable of its environment. */
  public variable(name: string): string {
    const value = this.#variables.get(name);
    if (value === undefined) throw new Error(`No function has a variable ${name}`);
    return value;
  }

  async #addUrl(arn: string): Promise<string> {
    const { urlIdentity } = this.#options;
    if (urlIdentity === undefined) throw new Error('There is no certificate for the URL of a function');
    const served = await serveFunctionUrl(urlIdentity, (event) => {
      this.#options.hops.urlInvokes(arn);
      return this.byArn(arn).invoke(event);
    });
    this.#urls.push(served);
    return served.url;
  }

  #addFunction(logicalId: string, wanted: z.output<typeof lambdaFunction>): LocalFunction {
    const runner = runnerOf(logicalId, wanted, this.#options);
    this.#runners.set(runner.arn, runner);
    const made = makeFunction(runner, wanted, this.#options);
    this.#functions.push(made);
    for (const [name, value] of Object.entries(wanted.Environment?.Variables ?? {})) {
      this.#variables.set(name, value);
    }
    return made;
  }

  #addMapping(wanted: z.output<typeof mapping>): void {
    if (!wanted.Enabled) return;
    const { hops } = this.#options;
    const made = this.byArn(wanted.FunctionName);
    const runner = this.#runners.get(made.arn);
    if (runner === undefined) throw new Error(`There is no function ${made.arn}`);
    this.#mappings.push({
      queueArn: wanted.EventSourceArn,
      function: made,
      permit: {
        receive: () => {
          hops.mappingReceives(runner, wanted.EventSourceArn);
        },
        delete: () => {
          hops.mappingDeletes(runner, wanted.EventSourceArn);
        },
      },
      batchSize: wanted.BatchSize,
      windowSeconds: wanted.MaximumBatchingWindowInSeconds,
      maximumConcurrency: wanted.ScalingConfig?.MaximumConcurrency,
      reportsItemFailures: wanted.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    });
  }
}

/** The defaults are those of Lambda. */
const functionUrl = z.strictObject({ AuthType: z.literal('NONE'), TargetFunctionArn: z.string() });

const lambdaFunction = z.strictObject({
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

const mapping = z.strictObject({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.number().default(10),
  MaximumBatchingWindowInSeconds: z.number().default(0),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.number() }).optional(),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  Enabled: z.boolean().default(true),
});

function runnerOf(
  logicalId: string,
  wanted: z.output<typeof lambdaFunction>,
  { place: { region, accountId } }: FunctionsOptions,
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

function makeFunction(
  runner: Runner,
  wanted: z.output<typeof lambdaFunction>,
  options: FunctionsOptions,
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
function loggedBy(runner: Runner, { hops, onLog }: FunctionsOptions): OnLog {
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
