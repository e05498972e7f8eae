import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeEventStore } from '../../lambdas/event/store.ts';
import { makeOrganizationStore } from '../../lambdas/organization/store.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import { cacheOf, NotRun, preparePython } from '../python.ts';
import { killAll } from '../receivers/child.ts';
import { startEmulator } from './emulator.ts';
import type { Deployed, Emulator } from './emulator.ts';

/** `npm run test:deploy`: the stock CDK deploys the stack into MiniStack, an event is routed, an update keeps it. */

const exitCodes = { passed: 0, failed: 1, notRun: 3 } as const;
const say = (line: string) => process.stdout.write(`${line}\n`);

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  await main();
  process.exitCode = exitCodes.passed;
} catch (error) {
  say(error instanceof NotRun ? `not run: ${error.message}` : `failed: ${String(error)}`);
  process.exitCode = error instanceof NotRun ? exitCodes.notRun : exitCodes.failed;
}

async function main(): Promise<void> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const python = await preparePython({ name: 'deploy', command: 'python', requirements });
  const folder = cacheOf('deploy');
  await mkdir(folder, { recursive: true });
  const emulator = await step('MiniStack starts', () => startEmulator(python, folder));
  try {
    await step('cdk bootstrap', emulator.bootstrap);
    const first = await step('cdk deploy', () => emulator.deploy({}));
    for (const type of first.leftOut)
      say(`  not run: ${type}, which MiniStack does not know; test/lib looks at it`);
    const eventId = await step('an event on the bus is routed into the ledger', () =>
      publish(emulator, first),
    );
    const second = await step('an update with other settings', () =>
      emulator.deploy({ retentionDays: '40' }),
    );
    await step('keeps tables, bus and users', async () => {
      expectSame(first, second);
      return Promise.resolve();
    });
    await step('and what is in them', () => expectEvent(emulator, { deployed: second, eventId }));
  } finally {
    emulator.stop();
  }
  say(
    '  not run: delivery, signing and dead letters: npm test has them on stand-ins that keep to AWS more closely',
  );
}

async function step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const startedMs = Date.now();
  const result = await work();
  say(`passed: ${what} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  return result;
}

function clientOf({ endpoint }: Emulator) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

function tablesOf(emulator: Emulator, { outputs }: Deployed) {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientOf(emulator)), {
    marshallOptions: { removeUndefinedValues: true },
  });
  return {
    organizations: makeOrganizationStore(client, outputs['ConfigTable'] ?? ''),
    events: makeEventStore(client, outputs['LedgerTable'] ?? '', Date.now),
  };
}

async function publish(emulator: Emulator, deployed: Deployed): Promise<string> {
  const { organizations, events } = tablesOf(emulator, deployed);
  await organizations.replace(undefined, anOrganization());
  const bus = new EventBridgeClient(clientOf(emulator));
  const Detail = JSON.stringify({ organizationId: 'org_1', data: { runId: 77 } });
  const EventBusName = deployed.outputs['BusName'];
  await bus.send(
    new PutEventsCommand({
      Entries: [{ EventBusName, Source: 'acme', DetailType: 'pipeline.run.failed', Detail }],
    }),
  );
  for (let tries = 0; tries < 120; tries += 1) {
    const [event] = (await events.list('org_1', { limit: 10 })).data;
    if (event !== undefined) return event.id;
    await sleep(500);
  }
  throw new Error('the event was not routed within a minute');
}

function expectSame(before: Deployed, after: Deployed): void {
  for (const name of [
    'ConfigTable',
    'LedgerTable',
    'BusName',
    'UserPoolId',
    'ApiUrl',
    'DeadLetterQueueUrl',
  ]) {
    if (before.outputs[name] === undefined || before.outputs[name] !== after.outputs[name]) {
      throw new Error(`the update has replaced ${name}`);
    }
  }
}

async function expectEvent(
  emulator: Emulator,
  { deployed, eventId }: { deployed: Deployed; eventId: string },
): Promise<void> {
  const { organizations, events } = tablesOf(emulator, deployed);
  if ((await organizations.get('org_1')) === undefined) throw new Error('the organization is gone');
  if ((await events.get('org_1', eventId)) === undefined) throw new Error('the event is gone');
}
