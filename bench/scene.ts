import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { callApi } from '../local/api-client.ts';
import { makeLoopbackIdentity } from '../local/demo/authority.ts';
import { startRuntime } from '../local/runtime.ts';
import type { RuntimeOptions } from '../local/runtime.ts';

/** A request as it reached the receiver, before it is answered. */
export interface Arrival {
  readonly path: string;
  /** By `performance.now()`. */
  readonly atMs: number;
  readonly body: unknown;
}

export interface SceneOptions {
  /** Answers a request, or does not. */
  readonly onArrival: (arrival: Arrival, response: ServerResponse) => void;
  readonly runtime?: Pick<RuntimeOptions, 'templateFolder' | 'permissions'>;
}

/** What a producer says of an event; the rest is the same for all. */
export interface Published {
  readonly type: string;
  readonly detail: object;
}

const organizationId = 'org_bench';
const organization = `/v1/organizations/${organizationId}`;

/** The whole stack on loopback with one organization, and an HTTPS receiver beside it. */
export async function startScene({ onArrival, runtime: options }: SceneOptions) {
  const { authority, server, port } = await startReceiver(onArrival);
  const runtime = await startRuntime({
    port: 0,
    extraCas: [authority],
    ...options,
  });
  const token = await runtime.issueToken({ group: 'operators' });
  const caller = { api: runtime.api, token };
  await callApi(caller, { method: 'PUT', path: organization, body: { plan: 'enterprise' } }, z.unknown());
  return {
    /** Makes an endpoint at a path of the receiver, and answers its id. */
    makeEndpoint: async (path: string, more: { eventTypes: readonly string[]; policy?: object }) => {
      const body = { url: `https://127.0.0.1:${port}${path}`, ...more };
      const call = { method: 'POST' as const, path: `${organization}/endpoints`, body };
      return (await callApi(caller, call, z.object({ id: z.string() }))).id;
    },
    removeEndpoint: (id: string) =>
      callApi(caller, { method: 'DELETE', path: `${organization}/endpoints/${id}` }, z.unknown()),
    ...publisher(runtime),
    /** What judging has cost until now. */
    spent: () => ({ ...runtime.permissions.book.spent }),
    stop: async () => {
      await runtime.stop();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** An HTTPS receiver that looks at the clock before it looks at anything else. */
async function startReceiver(onArrival: SceneOptions['onArrival']) {
  const { authority, certificate, key } = await makeLoopbackIdentity();
  const server = createServer({ key, cert: certificate }, (request, response) => {
    const atMs = performance.now();
    buffer(request)
      .then((body) => {
        const { url: path = '' } = request;
        onArrival({ path, atMs, body: JSON.parse(body.toString()) }, response);
      })
      // A sender that hangs up in the middle will come again.
      .catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return { authority, server, port };
}

/** A producer in this process, with one connection that is kept. */
function publisher({ aws, output }: Pick<Awaited<ReturnType<typeof startRuntime>>, 'aws' | 'output'>) {
  const bus = new EventBridgeClient({
    endpoint: aws.server.endpoint,
    region: aws.setting.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const common = { EventBusName: output('BusName'), Source: 'bench' };
  return {
    /** Up to ten events in one call; throws when EventBridge took not all of them. */
    publish: async (...events: readonly Published[]) => {
      const Entries = events.map(({ type, detail }) => ({
        ...common,
        DetailType: type,
        Detail: JSON.stringify({ organizationId, ...detail }),
      }));
      const { FailedEntryCount } = await bus.send(new PutEventsCommand({ Entries }));
      if (FailedEntryCount !== 0) throw new Error('EventBridge did not take every event');
    },
  };
}

/** The value below which this share of the values lies (nearest rank); NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
