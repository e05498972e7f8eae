import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { anything, callApi } from '../../local/api-client.ts';
import { playUntilDead, seeArrival, seeEnd } from '../../local/demo/script.ts';
import { organizationId, setStageOn } from '../../local/demo/stage.ts';
import type { Platform, Stage } from '../../local/demo/stage.ts';
import { step } from '../../local/demo/steps.ts';
import { cacheOf, NotRun, preparePython } from '../python.ts';
import { killAll } from '../receivers/child.ts';
import { startEmulator } from './emulator.ts';
import type { Deployed, Emulator } from './emulator.ts';
import { deleteStack, setRedrive, tokenOf } from './services.ts';

/**
 * `npm run test:deploy`: the stock CDK deploys the stack into MiniStack, the demo is played there, an update keeps
 * what is there, and the stack is removed. What it can and cannot show: docs/deploy-test.md.
 */

const exitCodes = { passed: 0, failed: 1, notRun: 3 } as const;
const say = (line: string) => process.stdout.write(`${line}\n`);
const administrator = { email: 'ada@example.com', group: 'administrators', organizationId };
const operator = { email: 'olga@example.com', group: 'operators' };

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  await main();
  process.exitCode = exitCodes.passed;
} catch (error) {
  say(error instanceof NotRun ? `not run: ${error.message}` : `failed: ${String(error)}`);
  // At once: what has failed may have left a receiver open; the emulator ends with this process.
  process.exit(error instanceof NotRun ? exitCodes.notRun : exitCodes.failed);
}

async function main(): Promise<void> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const command = await preparePython({ name: 'deploy', command: 'python', requirements });
  const folder = cacheOf('deploy');
  await mkdir(folder, { recursive: true });
  const deployed = Promise.withResolvers<{ emulator: Emulator; first: Deployed }>();
  const stage = await setStageOn(async (authority) => {
    const emulator = await step('MiniStack runs', () => startEmulator({ command, folder, authority }));
    await step('cdk bootstrap', emulator.bootstrap);
    const first = await step('cdk deploy', () => emulator.deploy({}));
    for (const type of first.leftOut) say(`  not run: ${type}, which MiniStack does not know`);
    deployed.resolve({ emulator, first });
    return platformOf(emulator, first);
  });
  try {
    const { emulator, first } = await deployed.promise;
    await step('its dead-letter queues are set, as the template has them', () =>
      setRedrive(stage.sqs, first.template, stage.deadLetterQueueUrl),
    );
    const { eventId } = await playUntilDead(stage);
    await retryByHand(stage, eventId);
    await step('an update with other settings keeps tables, bus, queues and users', async () => {
      expectSame(first, await emulator.deploy({ retentionDays: '40' }));
    });
    await step('and what is in them: the API still explains the event', () => seeEnd(stage, eventId));
    await step('the stack is removed', () => deleteStack(emulator.endpoint, 'Tidings'));
  } finally {
    await stage.stop();
  }
}

async function platformOf(emulator: Emulator, { outputs }: Deployed): Promise<Platform> {
  const { endpoint } = emulator;
  const output = (name: string) => {
    const value = outputs[name];
    if (value === undefined) throw new Error(`the stack has no output ${name}`);
    return value;
  };
  return {
    // The host's first part is the id of the API.
    api: `${endpoint}/_aws/execute-api/${new URL(output('ApiUrl')).host.split('.')[0] ?? ''}/$default`,
    endpoint,
    region: 'us-east-1',
    // One poller serves all its queues, a batch at a time.
    slackMs: 5000,
    operatorToken: await tokenOf(endpoint, operator, outputs),
    organizationToken: await tokenOf(endpoint, administrator, outputs),
    output,
    stop: async () => {
      emulator.stop();
      return Promise.resolve();
    },
  };
}

/** MiniStack has no StartMessageMoveTask: what is dead is brought back by the API. */
async function retryByHand(stage: Stage, eventId: string): Promise<void> {
  await step('the receiver is repaired, and the dead delivery tried again by the API', async () => {
    stage.receiver.behave('/broken', () => 204);
    const path = `/v1/organizations/${organizationId}/endpoints/${stage.endpointIds['broken'] ?? ''}/deliveries/${eventId}/retry`;
    await callApi(stage.caller, { method: 'POST', path }, anything);
  });
  await step('it arrived, verified', () => seeArrival(stage));
  await step('the API explains it: every delivery of the event is delivered', () => seeEnd(stage, eventId));
}

function expectSame(before: Deployed, after: Deployed): void {
  const names = ['ConfigTable', 'LedgerTable', 'BusName', 'UserPoolId', 'ApiUrl', 'DeadLetterQueueUrl'];
  for (const name of names) {
    if (before.outputs[name] === undefined || before.outputs[name] !== after.outputs[name]) {
      throw new Error(`the update has replaced ${name}`);
    }
  }
}
