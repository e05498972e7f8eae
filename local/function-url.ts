import { once } from 'node:events';
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { ServerIdentity } from './demo/authority.ts';
import { gatewayAnswer, send, toAnswer } from './gateway-answer.ts';
import { toEvent } from './gateway-event.ts';

/** A function at a URL of its own: its requests have the format of an HTTP API's (payload 2.0). */
export interface FunctionUrl {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** @param invoke runs the function; what it throws is a 502, as on Lambda. */
export async function serveFunctionUrl(
  { certificate, key }: ServerIdentity,
  invoke: (event: unknown) => Promise<unknown>,
): Promise<FunctionUrl> {
  const match = { route: { key: '$default', invoke }, pathParameters: {} };
  const server = createServer({ key, cert: certificate, minVersion: 'TLSv1.2' }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://localhost');
    const answer = async () => {
      const body = await buffer(request);
      return toAnswer(await invoke(toEvent({ request, url, body, match, nowMs: Date.now() })));
    };
    answer()
      .catch(() => gatewayAnswer(502, 'Internal Server Error'))
      .then((found) => {
        send(response, found);
      })
      .catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A function URL has no port');
  return {
    url: `https://127.0.0.1:${address.port}/`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
