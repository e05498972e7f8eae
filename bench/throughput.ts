import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as requestHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { callApi } from '../local/api-client.ts';
import type { Caller } from '../local/api-client.ts';
import { registerEndpoint } from '../local/demo/endpoints.ts';
import { startDemoReceiver } from '../local/demo/receiver.ts';
import type { DemoReceiver, Received } from '../local/demo/receiver.ts';
import { start } from './child.ts';
import type { Ready } from './child.ts';

/**
 * Events through `npm start -- --no-demo` to endpoints on a real HTTPS receiver; afterwards the API must explain
 * every delivery. With --kill the process is killed (SIGKILL) in the middle and started again on the same data.
 * The baseline, in the same run: the same number of bare HTTPS requests to the same receiver.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000' },
    endpoints: { type: 'string', default: '3' },
    kill: { type: 'boolean', default: false },
  },
});
const eventCount = z.coerce.number().int().min(1).max(100_000).parse(values.events);
const endpointCount = z.coerce.number().int().min(1).max(20).parse(values.endpoints);
const organizationId = 'org_bench';

async function main(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
  const received: Received[] = [];
  const receiver = await startDemoReceiver((one) => received.push(one));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, receiver.authority);
  const flags = ['--ca', caFile, ...(values.kill ? ['--data', join(folder, 'data')] : [])];
  let { child, ready } = await start(flags);
  try {
    await setUp(ready, receiver);
    const startedMs = Date.now();
    const publishing = publishAll(() => ready);
    if (values.kill) {
      await until(() => received.length > (eventCount * endpointCount) / 4);
      child.kill('SIGKILL');
      await once(child, 'exit');
      process.stdout.write(`killed after ${received.length} requests; starting again\n`);
      ({ child, ready } = await start(flags));
    }
    await publishing;
    const wanted = eventCount * endpointCount;
    await until(() => new Set(received.map(nameOf)).size >= wanted);
    const seconds = (Date.now() - startedMs) / 1000;
    const isExplained = await explain(ready, wanted);
    const baselineSeconds = await baseline(receiver, wanted);
    return reportOn({ received, wanted, seconds, baselineSeconds, isExplained });
  } finally {
    child.kill('SIGTERM');
    await receiver.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function setUp(ready: Ready, receiver: DemoReceiver): Promise<void> {
  const caller = { api: ready.api, token: ready.operatorToken };
  const path = `/v1/organizations/${organizationId}`;
  await callApi(caller, { method: 'PUT', path, body: { plan: 'enterprise' } }, z.unknown());
  for (let number = 1; number <= endpointCount; number += 1) {
    const url = `${receiver.url}/bench-${number}`;
    const wanted = { url, description: 'bench', eventTypes: ['*'] };
    const { secret } = await registerEndpoint(caller, organizationId, wanted);
    receiver.trust(`/bench-${number}`, secret);
  }
}

/** Ten at a time, as a producer would; what was not answered is published again, under the same key. */
async function publishAll(target: () => Ready): Promise<void> {
  const occurredAt = new Date().toISOString();
  for (let first = 0; first < eventCount; first += 10) {
    const numbers = Array.from({ length: Math.min(10, eventCount - first) }, (_, index) => first + index);
    const entries = numbers.map((runId) => ({
      EventBusName: target().bus,
      Source: 'bench',
      DetailType: 'pipeline.run.succeeded',
      Detail: JSON.stringify({ organizationId, occurredAt, idempotencyKey: String(runId), data: { runId } }),
    }));
    while (!(await isTaken(target(), entries))) await pause(200);
  }
}

async function isTaken(
  { aws }: Ready,
  Entries: NonNullable<ConstructorParameters<typeof PutEventsCommand>[0]['Entries']>,
): Promise<boolean> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new EventBridgeClient({ endpoint: aws, region: 'us-east-1', credentials, maxAttempts: 1 });
  try {
    return (await client.send(new PutEventsCommand({ Entries }))).FailedEntryCount === 0;
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

const eventsPage = z.object({
  data: z.array(z.object({ id: z.string() })),
  nextCursor: z.string().nullable(),
});
const explained = z.object({ deliveries: z.array(z.object({ status: z.string() })) });

/** Asks the API for every event; true when each delivery has ended as delivered. */
async function explain(ready: Ready, wanted: number): Promise<boolean> {
  const caller: Caller = { api: ready.api, token: ready.operatorToken };
  const path = `/v1/organizations/${organizationId}/events`;
  const limitMs = Date.now() + 60_000;
  for (;;) {
    const ids: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await callApi(caller, { method: 'GET', path: `${path}?limit=250${query}` }, eventsPage);
      ids.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    const counts = new Map<string, number>();
    for (const id of ids) {
      const event = await callApi(caller, { method: 'GET', path: `${path}/${id}` }, explained);
      for (const { status } of event.deliveries) counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    process.stdout.write(
      `explained by the API: ${ids.length} events, ${JSON.stringify(Object.fromEntries(counts))}\n`,
    );
    if (counts.get('delivered') === wanted) return true;
    if (Date.now() > limitMs) return false;
    // The answer of a killed process is recorded when SQS hands the message out again.
    await pause(2_000);
  }
}

async function baseline(receiver: DemoReceiver, wanted: number): Promise<number> {
  const startedMs = Date.now();
  let left = wanted;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await bareRequest(receiver);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  return (Date.now() - startedMs) / 1000;
}

function bareRequest({ url, authority }: DemoReceiver): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = requestHttps(
      `${url}/bare`,
      { method: 'POST', ca: authority, agent: false },
      (response) => {
        response.resume().on('end', resolve);
      },
    );
    request.on('error', reject).end('{}');
  });
}

function nameOf({ path, webhookId }: Received): string {
  return `${path} ${webhookId}`;
}

async function until(isSo: () => boolean): Promise<void> {
  const limitMs = Date.now() + 600_000;
  while (!isSo()) {
    if (Date.now() > limitMs) throw new Error('Ten minutes have passed and not everything has arrived');
    await pause(50);
  }
}

function reportOn(result: {
  received: readonly Received[];
  wanted: number;
  seconds: number;
  baselineSeconds: number;
  isExplained: boolean;
}): boolean {
  const { wanted, seconds, baselineSeconds, isExplained } = result;
  const webhooks = result.received.filter(({ path }) => path !== '/bare');
  const distinct = new Set(webhooks.map(nameOf)).size;
  const isVerified = webhooks.every((one) => one.isVerified);
  const lines = [
    `deliveries: ${distinct} of ${wanted} arrived, ${webhooks.length - distinct} duplicates, every signature ${isVerified ? 'verified' : 'NOT verified'}`,
    `through Tidings: ${seconds.toFixed(1)} s, ${(wanted / seconds).toFixed(0)} deliveries/s`,
    `baseline, bare HTTPS requests, 20 at a time: ${baselineSeconds.toFixed(1)} s, ${(wanted / baselineSeconds).toFixed(0)}/s`,
    `ratio: ${(seconds / baselineSeconds).toFixed(1)}`,
    isExplained ? 'every delivery has its end' : 'NOT every delivery has its end',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return distinct === wanted && isVerified && isExplained;
}

process.exit((await main()) ? 0 : 1);
