import type { z } from 'zod';

import { AwsError } from './aws-error.ts';

/** One operation of a service: parses what came in, asks the engine, and answers in the protocol's names. */
export type Action<Engine> = (engine: Engine, input: unknown, signal: AbortSignal) => Promise<object>;

/** A service as the server sees it. */
export interface Service {
  call(action: string, input: unknown, signal: AbortSignal): Promise<object>;
}

/**
 * Makes operations for one kind of engine. Input is parsed strictly: a field the stand-in does not know is refused by
 * name, since to ignore it would be to pretend.
 *
 * @param code what this service calls an input that does not fit
 */
export function actionsOn<Engine>(code: string) {
  return function action<Schema extends z.ZodType>(
    schema: Schema,
    run: (engine: Engine, input: z.output<Schema>, signal: AbortSignal) => object | Promise<object>,
  ): Action<Engine> {
    return async (engine, input, signal) => run(engine, parseInput(schema, { input, code }), signal);
  };
}

/** A service out of its engine and its table of operations; what is not in the table is refused loudly. */
export function serviceOf<Engine>(engine: Engine, actions: Record<string, Action<Engine>>): Service {
  const table = new Map(Object.entries(actions));
  return {
    call: (action, input, signal) => {
      const run = table.get(action);
      if (run === undefined) {
        const message = `The local stand-in has no operation ${action}.`;
        return Promise.reject(new AwsError('UnknownOperationException', message));
      }
      return run(engine, input, signal);
    },
  };
}

/** The input as the schema types it; else an error that names the field, never its value. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  given: { input: unknown; code: string },
): z.output<Schema> {
  const parsed = schema.safeParse(given.input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  throw new AwsError(given.code, `The input does not fit: ${issues.join('; ')}`);
}
