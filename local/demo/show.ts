import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Caller } from '../api-client.ts';
import { demoEndpoints, moveEndpoint, registerEndpoint } from './endpoints.ts';
import type { DemoEndpoint, Registered } from './endpoints.ts';
import type { DemoReceiver } from './receiver.ts';
import { sampleEvent } from './samples.ts';

export interface ShowOptions {
  readonly caller: Caller;
  readonly organizationId: string;
  readonly receiver: DemoReceiver;
  /** Keeps the demo's secrets, which the API shows only once. */
  readonly dataFolder?: string;
}

/**
 * Makes the demo's endpoints, or takes up those of an earlier start, and teaches the receiver their secrets.
 *
 * @returns names of the endpoints by their ids.
 */
export async function setUpEndpoints(options: ShowOptions): Promise<ReadonlyMap<string, string>> {
  const path = options.dataFolder === undefined ? undefined : join(options.dataFolder, 'demo.json');
  const kept = path === undefined ? {} : await readKept(path);
  const now: Record<string, Registered> = {};
  for (const wanted of demoEndpoints) {
    const registered = await setUp(wanted, kept[wanted.name], options);
    now[wanted.name] = registered;
    options.receiver.trust(`/${wanted.name}`, registered.secret);
    options.receiver.behave(`/${wanted.name}`, wanted.behaviour);
    // After each one: a process killed in between must not leave an endpoint whose secret nobody knows.
    if (path !== undefined) await writeKept(path, { ...kept, ...now });
  }
  return new Map(Object.entries(now).map(([name, { id }]) => [id, name]));
}

async function setUp(
  { name, description, eventTypes }: DemoEndpoint,
  kept: Registered | undefined,
  { caller, organizationId, receiver }: ShowOptions,
): Promise<Registered> {
  const url = `${receiver.url}/${name}`;
  if (kept !== undefined && (await moveEndpoint(caller, organizationId, { id: kept.id, url }))) return kept;
  return registerEndpoint(caller, organizationId, { url, description, eventTypes });
}

const keptSecrets = z.record(z.string(), z.object({ id: z.string(), secret: z.string() }));

async function readKept(path: string): Promise<z.output<typeof keptSecrets>> {
  try {
    return keptSecrets.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

async function writeKept(path: string, kept: Record<string, Registered>): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(kept, null, 2), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export interface TrafficOptions {
  readonly organizationId: string;
  readonly busName: string;
  readonly aws: { readonly endpoint: string; readonly region: string };
  readonly onProblem: (error: unknown) => void;
}

/** Lively for the first minute, then calm: a demo left alone overnight must not fill the disk. */
function pauseMs(published: number): number {
  return published < 40 ? 1500 : 15_000;
}

/** Publishes sample events through the AWS SDK, as any producer would, until it is stopped. */
export async function publishSamples(options: TrafficOptions, signal: AbortSignal): Promise<void> {
  const { organizationId, busName, onProblem } = options;
  const client = new EventBridgeClient({
    ...options.aws,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  for (let published = 0; !signal.aborted; published += 1) {
    const entry = { EventBusName: busName, ...sampleEvent(organizationId, published) };
    await client.send(new PutEventsCommand({ Entries: [entry] })).catch(onProblem);
    // Stopped in the middle of its pause, it simply ends.
    await sleep(pauseMs(published), undefined, { signal }).catch(() => undefined);
  }
  client.destroy();
}
