import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { answerMessage } from './function-protocol.ts';
import type { Answer, Order, WorkerSettings } from './function-protocol.ts';

export interface InstanceOptions {
  readonly settings: WorkerSettings;
  /** The whole environment of the function: nothing of this process's own reaches it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
}

/** One running worker. Like a Lambda environment it is made, used for a while, and thrown away. */
export class Instance {
  readonly #worker: Worker;
  readonly #waiting = new Map<string, Waiter>();
  readonly #loaded = Promise.withResolvers<undefined>();
  #ended: Error | undefined;

  public constructor({ settings, environment, onLine }: InstanceOptions) {
    this.#worker = new Worker(join(import.meta.dirname, 'function-worker.ts'), {
      workerData: settings,
      env: { ...environment },
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    const { stdout, stderr } = this.#worker;
    for (const input of [stdout, stderr]) createInterface({ input }).on('line', onLine);
    this.#worker.on('message', (message: unknown) => {
      this.#hear(answerMessage.parse(message));
    });
    this.#worker.on('error', (cause) => {
      this.#end(new Error(`The function's worker failed: ${String(cause)}`, { cause }));
    });
    this.#worker.on('exit', (code) => {
      this.#end(new Error(`The function's worker exited with code ${code}`));
    });
    // A worker may die before anybody asks whether it is ready.
    this.#loaded.promise.catch(() => undefined);
  }

  /** Resolves when the handler is loaded, rejects when it cannot be. */
  public get ready(): Promise<undefined> {
    return this.#loaded.promise;
  }

  public get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  public get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  /** @throws what the handler threw, or Error when the worker dies meanwhile. */
  public async run(order: Order): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(order.id, { resolve, reject });
    if (this.#ended === undefined) this.#worker.postMessage(order);
    else this.#end(this.#ended);
    return promise;
  }

  /** Fails an invocation that took too long: whatever it still answers is not heard. */
  public abandon(id: string, reason: Error): void {
    this.#waiting.get(id)?.reject(reason);
    this.#waiting.delete(id);
  }

  public async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(answer: Answer): void {
    if (answer.kind === 'ready') {
      this.#loaded.resolve(undefined);
      return;
    }
    const waiter = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === 'failure') waiter?.reject(new HandlerError(answer));
    else waiter?.resolve(JSON.parse(answer.result));
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#loaded.reject(this.#ended);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** An error that the handler threw, under its own name, as Lambda reports it. */
export class HandlerError extends Error {
  public constructor(failure: Extract<Answer, { kind: 'failure' }>) {
    super(failure.errorMessage);
    this.name = failure.errorType;
    this.stack = failure.stack;
  }
}
