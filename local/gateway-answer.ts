import type { ServerResponse } from 'node:http';
import { z } from 'zod';

/** What goes back to the caller. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const formatted = z.looseObject({
  statusCode: z.coerce.number().int().min(200).max(599),
  headers: z.record(z.string(), scalar).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/**
 * A function's result as an HTTP API understands it: with a `statusCode` it is the whole answer, anything
 * else is the body of a 200.
 *
 * @throws Error when there is a `statusCode` and the rest does not fit: API Gateway answers 500 then.
 */
export function toAnswer(result: unknown): Answer {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const text = typeof result === 'string' ? result : JSON.stringify(result);
    return jsonAnswer(200, text);
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = formatted.parse(result);
  const named = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    statusCode,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...Object.fromEntries(named) },
    cookies: cookies ?? [],
    body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

/** What API Gateway itself says, without a function. */
export function gatewayAnswer(
  statusCode: number,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  const answer = jsonAnswer(statusCode, JSON.stringify({ message }));
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function jsonAnswer(statusCode: number, text: string): Answer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json' },
    cookies: [],
    body: Buffer.from(text),
  };
}

export function send(response: ServerResponse, { statusCode, headers, cookies, body }: Answer): void {
  response.statusCode = statusCode;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  // A 204 and a 304 have no body, and Node refuses a length that is not sent.
  if (statusCode === 204 || statusCode === 304) {
    response.removeHeader('content-type');
    response.end();
    return;
  }
  // To HEAD a length would have to be that of the answer to GET (RFC 9110, section 8.6), which the function has not sent.
  if (response.req.method !== 'HEAD') response.setHeader('content-length', body.length);
  response.end(body);
}
