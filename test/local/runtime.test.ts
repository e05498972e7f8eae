import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { anything, callApi, CallFailed } from '../../local/api-client.ts';
import { ensureOrganization, registerEndpoint } from '../../local/demo/endpoints.ts';
import { startDemoReceiver } from '../../local/demo/receiver.ts';
import type { Received } from '../../local/demo/receiver.ts';
import { startRuntime } from '../../local/runtime.ts';
import type { Runtime, RuntimeOptions } from '../../local/runtime.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function aRuntime(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await startRuntime({ port: 0, templateFolder: inject('templateFolder'), ...options });
  cleanups.push(() => runtime.stop());
  return runtime;
}

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-data-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}

const organizationId = 'org_1';
const organizationPath = `/v1/organizations/${organizationId}`;
const operatorOf = async (runtime: Runtime) => ({
  api: runtime.api,
  token: await runtime.issueToken({ group: 'operators' }),
});

it('an event put on the bus reaches a receiver on this machine', async () => {
  const received: Received[] = [];
  const receiver = await startDemoReceiver((one) => received.push(one));
  cleanups.push(() => receiver.stop());
  const logs: string[] = [];
  const runtime = await aRuntime({ extraCas: [receiver.authority], onLog: (_name, line) => logs.push(line) });
  await ensureOrganization(await operatorOf(runtime), organizationId);
  const caller = {
    api: runtime.api,
    token: await runtime.issueToken({ organizationId, group: 'administrators' }),
  };
  const wanted = { url: `${receiver.url}/hook`, description: 'test', eventTypes: ['*'] };
  receiver.trust('/hook', (await registerEndpoint(caller, organizationId, wanted)).secret);

  await publish(runtime, { marker: 'planted-payload' });

  await vi.waitFor(() => {
    expect(received).toMatchObject([{ isVerified: true, statusCode: 204 }]);
  }, 10_000);
  await vi.waitFor(() => {
    expect(logs.join()).toContain('delivery.attempted');
  });
  expect(logs.join()).not.toContain('planted-payload');
});

it('what was kept in a data folder is there after a restart, on another port', async () => {
  const dataFolder = await aFolder();
  const before = await aRuntime({ dataFolder });
  const caller = await operatorOf(before);
  await callApi(caller, { method: 'PUT', path: organizationPath, body: { plan: 'enterprise' } }, anything);
  await before.stop();

  const after = await aRuntime({ dataFolder });

  const organization = z.looseObject({ plan: z.string() });
  const again = { api: after.api, token: caller.token };
  expect(await callApi(again, { method: 'GET', path: organizationPath }, organization)).toMatchObject({
    plan: 'enterprise',
  });
});

it('without a data folder nothing outlives the process, tokens included', async () => {
  const caller = await operatorOf(await aRuntime());
  const { api } = await aRuntime();
  await expect(
    callApi({ ...caller, api }, { method: 'GET', path: organizationPath }, anything),
  ).rejects.toThrow(CallFailed);
});

it('a data folder in use by another runtime is refused', async () => {
  const dataFolder = await aFolder();
  await aRuntime({ dataFolder });
  await expect(aRuntime({ dataFolder })).rejects.toThrow();
});

it('a function that a rule calls in time can be called now, by its name', async () => {
  const logs: string[] = [];
  const runtime = await aRuntime({ onLog: (name, line) => logs.push(`${name} ${line}`) });
  await runtime.runSchedules('Wake');
  await vi.waitFor(() => {
    expect(logs.filter((line) => line.includes('"wake.done"'))).toHaveLength(1);
  });
  expect(logs.join()).not.toContain('dead_letters.tidied');
});

it('listens on loopback only', async () => {
  const runtime = await aRuntime();
  for (const url of [runtime.api, runtime.aws.server.endpoint, runtime.output('DeadLetterQueueUrl')]) {
    expect(new URL(url).hostname).toBe('127.0.0.1');
  }
});

async function publish({ aws, output }: Runtime, data: object): Promise<void> {
  const client = new EventBridgeClient({
    endpoint: aws.server.endpoint,
    region: aws.setting.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const Detail = JSON.stringify({ organizationId, data });
  const entry = {
    EventBusName: output('BusName'),
    Source: 'test',
    DetailType: 'pipeline.run.failed',
    Detail,
  };
  expect(await client.send(new PutEventsCommand({ Entries: [entry] }))).toMatchObject({
    FailedEntryCount: 0,
  });
  client.destroy();
}
