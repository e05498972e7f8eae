import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Caller } from '../api-client.ts';
import { startRuntime } from '../runtime.ts';
import { demoEndpoints, ensureOrganization, registerEndpoint } from './endpoints.ts';
import { startDemoReceiver } from './receiver.ts';
import type { DemoReceiver, Received } from './receiver.ts';

/** Everything that the script of the demo plays with. */
export interface Stage {
  readonly organizationId: string;
  readonly caller: Caller;
  readonly receiver: DemoReceiver;
  /** Requests that reached a path of the receiver, in order. */
  readonly receivedAt: (name: string) => readonly Received[];
  /** Ids of the endpoints by their names. */
  readonly endpointIds: Readonly<Record<string, string>>;
  readonly deadLetterQueueUrl: string;
  /** How much later than due an attempt may be made, in milliseconds. */
  readonly slackMs: number;
  readonly sqs: SQSClient;
  /** Publishes one event through the AWS SDK; answers EventBridge's id. */
  readonly publish: (type: string, data: object) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** A deployed stack, and what plays AWS below it. */
export interface Platform {
  /** URL of the API. */
  readonly api: string;
  /** URL at which the SDK finds the services. */
  readonly endpoint: string;
  readonly region: string;
  readonly operatorToken: string;
  readonly organizationToken: string;
  readonly output: (name: string) => string;
  readonly slackMs: number;
  readonly stop: () => Promise<void>;
}

export const organizationId = 'org_demo';

/** The stage in this process. */
export async function setStage(): Promise<Stage> {
  return setStageOn(async (authority) => {
    const runtime = await startRuntime({ port: 0, extraCas: [authority] });
    return {
      api: runtime.api,
      endpoint: runtime.aws.server.endpoint,
      region: runtime.aws.setting.region,
      operatorToken: await runtime.issueToken({ group: 'operators' }),
      organizationToken: await runtime.issueToken({ organizationId, group: 'administrators' }),
      output: runtime.output,
      slackMs: 1000,
      stop: runtime.stop,
    };
  });
}

/** @param start told of the PEM of the authority that deliveries must trust to reach the demo receiver. */
export async function setStageOn(start: (authority: string) => Promise<Platform>): Promise<Stage> {
  const received: Received[] = [];
  const receiver = await startDemoReceiver((one) => {
    received.push(one);
  });
  const platform = await start(receiver.authority);
  const { api, output } = platform;
  const caller = { api, token: platform.organizationToken };
  await ensureOrganization({ api, token: platform.operatorToken }, organizationId);
  const { sqs, events, destroy } = clientsOf(platform);
  return {
    organizationId,
    caller,
    receiver,
    receivedAt: (name) => received.filter(({ path }) => path === `/${name}`),
    endpointIds: await registerAll(caller, receiver),
    deadLetterQueueUrl: output('DeadLetterQueueUrl'),
    slackMs: platform.slackMs,
    sqs,
    publish: (type, data) => publish(events, { busName: output('BusName'), type, data }),
    stop: async () => {
      destroy();
      await platform.stop();
      await receiver.stop();
    },
  };
}

function clientsOf({ endpoint, region }: Platform) {
  const configuration = {
    endpoint,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const sqs = new SQSClient(configuration);
  const events = new EventBridgeClient(configuration);
  const destroy = () => {
    sqs.destroy();
    events.destroy();
  };
  return { sqs, events, destroy };
}

async function registerAll(caller: Caller, receiver: DemoReceiver): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const { name, behaviour, ...wanted } of demoEndpoints) {
    const made = await registerEndpoint(caller, organizationId, {
      ...wanted,
      url: `${receiver.url}/${name}`,
    });
    receiver.trust(`/${name}`, made.secret);
    receiver.behave(`/${name}`, behaviour);
    ids[name] = made.id;
  }
  return ids;
}

async function publish(
  client: EventBridgeClient,
  { busName, type, data }: { busName: string; type: string; data: object },
): Promise<string> {
  const Detail = JSON.stringify({ organizationId, resource: 'pipeline/42', data });
  const entry = { EventBusName: busName, Source: 'demo.producer', DetailType: type, Detail };
  const { Entries } = await client.send(new PutEventsCommand({ Entries: [entry] }));
  const id = Entries?.[0]?.EventId;
  if (id === undefined) throw new Error(`EventBridge refused the event: ${JSON.stringify(Entries)}`);
  return id;
}
