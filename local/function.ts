import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Instance } from './function-instance.ts';
import type { InstanceOptions } from './function-instance.ts';

/** Takes each line that a function prints, without its newline. */
export type OnLog = (functionName: string, line: string) => void;

export interface FunctionOptions {
  readonly name: string;
  readonly arn: string;
  /** Folder of the bundle, and `file.export` in it, as the template says. */
  readonly codeFolder: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly extraCas: readonly string[];
  readonly namesAreLocal: boolean;
  readonly onLog: OnLog;
  /** Judge what Lambda does with the function's role; each throws when nothing allows it. */
  readonly permit?: { readonly start: () => void; readonly invoke: () => void };
}

/**
 * A Lambda function that runs in a worker thread. Unlike on Lambda one worker takes many invocations at a
 * time; like there, an invocation that outlives its timeout takes its worker down: the next invocation
 * gets a new one, and the old one ends when the others in it are done. A worker that died is replaced likewise.
 */
export class LocalFunction {
  public readonly name: string;
  public readonly arn: string;
  public readonly timeoutSeconds: number;
  readonly #options: FunctionOptions;
  readonly #instances = new Set<Instance>();
  #current: Instance | undefined;
  #isStopped = false;

  public constructor(options: FunctionOptions) {
    this.name = options.name;
    this.arn = options.arn;
    this.timeoutSeconds = options.timeoutSeconds;
    this.#options = options;
  }

  /** Loads the handler before it is needed, so that a bundle which cannot start is known at once. */
  public async warm(): Promise<void> {
    await this.#instance().ready;
  }

  /** @throws Error when the handler throws, takes longer than its timeout, or its worker dies. */
  public async invoke(event: unknown): Promise<unknown> {
    const id = randomUUID();
    this.#options.permit?.invoke();
    const instance = this.#instance();
    try {
      // Loading does not count: Lambda gives the start of a function ten seconds of its own.
      await instance.ready;
      return await this.#runInTime(instance, { id, event: JSON.stringify(event) });
    } catch (error) {
      this.#options.onLog(this.name, failureLine(id, error));
      throw error;
    } finally {
      if (instance !== this.#current && instance.isIdle) await this.#stop(instance);
    }
  }

  /** Ends the worker at once: what it was doing fails. */
  public async stop(): Promise<void> {
    this.#isStopped = true;
    this.#current = undefined;
    await Promise.all([...this.#instances].map((instance) => this.#stop(instance)));
  }

  #instance(): Instance {
    if (this.#isStopped) throw new Error(`${this.name} has been stopped`);
    if (this.#current === undefined || this.#current.hasEnded) {
      this.#options.permit?.start();
      this.#current = new Instance(instanceOptions(this.#options));
      this.#instances.add(this.#current);
    }
    return this.#current;
  }

  async #runInTime(instance: Instance, { id, event }: { id: string; event: string }): Promise<unknown> {
    const { timeoutSeconds } = this;
    const timer = setTimeout(() => {
      if (this.#current === instance) this.#current = undefined;
      instance.abandon(id, new Error(`${id} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`));
    }, timeoutSeconds * 1000);
    try {
      return await instance.run({ id, event, deadlineMs: Date.now() + timeoutSeconds * 1000 });
    } finally {
      clearTimeout(timer);
    }
  }

  async #stop(instance: Instance): Promise<void> {
    this.#instances.delete(instance);
    await instance.stop();
  }
}

function instanceOptions(options: FunctionOptions): InstanceOptions {
  const { name, arn, codeFolder, handler, environment, onLog, ...rest } = options;
  const { extraCas, namesAreLocal } = rest;
  const [file = '', exportName = ''] = handler.split('.');
  const path = ['.mjs', '.js', '.cjs'].map((ending) => join(codeFolder, file + ending)).find(existsSync);
  if (path === undefined) throw new Error(`${name}: there is no ${file} in ${codeFolder}`);
  return {
    settings: { arn, file: pathToFileURL(path).href, exportName, extraCas: [...extraCas], namesAreLocal },
    environment: { ...environment, _HANDLER: handler, LAMBDA_TASK_ROOT: codeFolder },
    onLine: (line) => {
      onLog(name, line);
    },
  };
}

/** What the Lambda runtime itself writes when an invocation fails, as JSON like everything else. */
function failureLine(requestId: string, error: unknown): string {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return JSON.stringify({
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    message: 'invocation.failed',
    requestId,
    errorType: name,
    errorMessage: message,
    stackTrace: stack,
  });
}
