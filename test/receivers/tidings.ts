import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { callApi } from '../../local/api-client.ts';
import { ensureOrganization } from '../../local/demo/endpoints.ts';
import { startRuntime } from '../../local/runtime.ts';

export type Scheme = 'hmac' | 'jwt';

/** An endpoint of the product, as its owner configures the receiver for it. */
export interface Registered {
  readonly environment: Readonly<Record<string, string>>;
  readonly secret: string;
  /** Has Tidings deliver an event with this data; throws unless the first attempt was taken. */
  readonly deliver: (data: object) => Promise<void>;
}

export interface Tidings {
  /** Makes an organization with one endpoint. */
  readonly register: (name: string, scheme: Scheme, url: string) => Promise<Registered>;
  readonly stop: () => Promise<void>;
}

const createdEndpoint = z.object({ id: z.string(), secret: z.string() });
const publishedEvent = z.object({ id: z.string() });
const eventReport = z.object({
  deliveries: z.array(
    z.object({ status: z.string(), attemptCount: z.number(), lastError: z.string().optional() }),
  ),
});

/** One attempt only: a receiver that refuses a delivery must not be helped by a second one. */
const policy = { timeoutSeconds: 10, retry: { maximumAttempts: 1 } };

/** The whole product on loopback, which trusts the samples' authority. */
export async function startTidings(authority: string): Promise<Tidings> {
  const runtime = await startRuntime({ port: 0, extraCas: [authority] });
  const caller = { api: runtime.api, token: await runtime.issueToken({ group: 'operators' }) };
  return {
    stop: runtime.stop,
    register: async (name, scheme, url) => {
      // One for each: an event goes to all endpoints of its organization.
      const organizationId = `org_${name.replaceAll('-', '_')}_${scheme}`;
      const path = `/v1/organizations/${organizationId}`;
      await ensureOrganization(caller, organizationId);
      const body = { url, scheme, eventTypes: ['*'], policy };
      const call = { method: 'POST', path: `${path}/endpoints`, body } as const;
      const { id, secret } = await callApi(caller, call, createdEndpoint);
      return {
        secret,
        environment:
          scheme === 'hmac'
            ? { SCHEME: 'hmac', WEBHOOK_SECRET: secret }
            : {
                SCHEME: 'jwt',
                JWKS_URL: `${runtime.api}${path}/.well-known/jwks.json`,
                AUDIENCE: id,
                ISSUER: runtime.output('WebhookIssuer'),
              },
        deliver: (data) => deliver(caller, path, data),
      };
    },
  };
}

type Caller = Parameters<typeof callApi>[0];

const deliveryLimitMs = 30_000;

async function deliver(caller: Caller, path: string, data: object): Promise<void> {
  const body = { type: 'pipeline.run.succeeded', data };
  const { id } = await callApi(caller, { method: 'POST', path: `${path}/events`, body }, publishedEvent);
  const end = Date.now() + deliveryLimitMs;
  for (;;) {
    const status = await statusOf(caller, `${path}/events/${id}`);
    if (status === 'delivered') return;
    if (status !== undefined) throw new Error(status);
    if (Date.now() > end) throw new Error(`not delivered in ${deliveryLimitMs / 1000} s`);
    await sleep(100);
  }
}

/** `delivered`, what went wrong, or undefined as long as it is on its way. */
async function statusOf(caller: Caller, path: string): Promise<string | undefined> {
  // Until it has been routed there is no such event.
  const report = await callApi(caller, { method: 'GET', path }, eventReport).catch(() => undefined);
  const delivery = report?.deliveries[0];
  if (delivery === undefined || delivery.status === 'queued') return undefined;
  const { status, attemptCount, lastError } = delivery;
  if (status === 'delivered' && attemptCount === 1) return status;
  return `${status} after ${attemptCount} attempts, ${lastError ?? 'no error'}`;
}
