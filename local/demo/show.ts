import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../api-client.ts';
import { demoEndpoints, moveEndpoint, registerEndpoint } from './endpoints.ts';
import type { DemoEndpoint, Registered } from './endpoints.ts';
import { readKept, writeKept } from './kept.ts';
import type { KeptDemo } from './kept.ts';
import { startDemoReceiver } from './receiver.ts';
import type { DemoReceiver } from './receiver.ts';
import { sampleEvent } from './samples.ts';

/** The receiver of `npm start`, and what an earlier start left. */
export interface Demo {
  readonly receiver: DemoReceiver;
  readonly kept: KeptDemo;
  readonly dataFolder: string | undefined;
}

/**
 * Starts the receiver where it was at the last start, with the secrets that it had: deliveries which waited
 * across the restart come as soon as the stack runs.
 */
export async function openDemo(dataFolder: string | undefined): Promise<Demo> {
  const kept = await readKept(dataFolder);
  const receiver = await startDemoReceiver(undefined, kept.port);
  for (const { name, behaviour } of demoEndpoints) {
    receiver.behave(`/${name}`, behaviour);
    const known = kept.endpoints[name];
    if (known !== undefined) receiver.trust(`/${name}`, known.secret);
  }
  return { receiver, kept, dataFolder };
}

/**
 * Makes the demo's endpoints, or takes up those of an earlier start, and teaches the receiver their secrets.
 *
 * @returns names of the endpoints by their ids.
 */
export async function setUpEndpoints(
  { receiver, kept, dataFolder }: Demo,
  caller: Caller,
  organizationId: string,
): Promise<ReadonlyMap<string, string>> {
  const port = Number(new URL(receiver.url).port);
  const endpoints: Record<string, Registered> = {};
  for (const wanted of demoEndpoints) {
    const url = `${receiver.url}/${wanted.name}`;
    const registered = await takeUp(wanted, {
      url,
      kept: kept.endpoints[wanted.name],
      caller,
      organizationId,
    });
    endpoints[wanted.name] = registered;
    receiver.trust(`/${wanted.name}`, registered.secret);
    // After each one: a process killed in between must not leave an endpoint whose secret nobody knows.
    await writeKept(dataFolder, { port, endpoints: { ...kept.endpoints, ...endpoints } });
  }
  return new Map(Object.entries(endpoints).map(([name, { id }]) => [id, name]));
}

interface Place {
  readonly url: string;
  readonly kept: Registered | undefined;
  readonly caller: Caller;
  readonly organizationId: string;
}

async function takeUp(
  wanted: DemoEndpoint,
  { url, kept, caller, organizationId }: Place,
): Promise<Registered> {
  if (kept !== undefined && (await moveEndpoint(caller, organizationId, { id: kept.id, url }))) return kept;
  const { description, eventTypes } = wanted;
  return registerEndpoint(caller, organizationId, { url, description, eventTypes });
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
