import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';

const headers = new AsyncLocalStorage<string>();

/** Serves a request whose header `X-Amzn-Trace-Id`, which the SDK sends in Lambda, counts for what it sends. */
export function withTraceOf<Result>({ headers: sent }: IncomingMessage, serve: () => Result): Result {
  const header = sent['x-amzn-trace-id'];
  return typeof header === 'string' ? headers.run(header, serve) : serve();
}

/** Of the request that is served now. */
export function traceOfRequest(): string | undefined {
  return headers.getStore();
}
