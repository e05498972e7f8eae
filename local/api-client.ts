import { z } from 'zod';

/** Where the API is and who asks. */
export interface Caller {
  readonly api: string;
  readonly token: string;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the API's URL, such as `/v1/event-types`. */
  readonly path: string;
  readonly body?: unknown;
}

/** The API answered something else than a success. */
export class CallFailed extends Error {
  public readonly statusCode: number;

  public constructor({ method, path }: Call, statusCode: number, answer: string) {
    super(`${method} ${path} answered ${statusCode}: ${answer}`);
    this.name = 'CallFailed';
    this.statusCode = statusCode;
  }
}

/**
 * Calls the API as a customer would, and reads what is needed of the answer.
 *
 * @throws CallFailed unless the answer is a 2xx, ZodError when it is not what was expected.
 */
export async function callApi<S extends z.ZodType>(
  caller: Caller,
  call: Call,
  schema: S,
): Promise<z.output<S>> {
  const response = await fetch(caller.api + call.path, {
    method: call.method,
    headers: {
      authorization: `Bearer ${caller.token}`,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new CallFailed(call, response.status, text);
  return schema.parse(text === '' ? undefined : JSON.parse(text));
}

/** For calls of which only the success counts. */
export const anything = z.unknown();
