import { z } from 'zod';
import type { ServerIdentity } from '../demo/authority.ts';
import type { LocalFunction } from '../function.ts';
import { serveFunctionUrl } from '../function-url.ts';
import type { FunctionUrl } from '../function-url.ts';
import type { Runner } from '../permissions/hops.ts';
import type { Maker } from './create.ts';
import { lambdaFunction, makeFunction, runnerOf } from './make-function.ts';
import type { MakeOptions } from './make-function.ts';

export interface FunctionsOptions extends MakeOptions {
  /** What functions at a URL of their own show; their authority is trusted by all functions. */
  readonly urlIdentity?: ServerIdentity | undefined;
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

const mapping = z.strictObject({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.number().default(10),
  MaximumBatchingWindowInSeconds: z.number().default(0),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.number() }).optional(),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  Enabled: z.boolean().default(true),
});
