import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Caller } from '../api-client.ts';
import { startRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
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
  readonly sqs: SQSClient;
  /** Publishes one event through the AWS SDK; answers EventBridge's id. */
  readonly publish: (type: string, data: object) => Promise<string>;
  readonly stop: () => Promise<void>;
}

const organizationId = 'org_demo';

export async function setStage(): Promise<Stage> {
  const received: Received[] = [];
  const receiver = await startDemoReceiver((one) => {
    received.push(one);
  });
  const runtime = await startRuntime({ port: 0, extraCas: [receiver.authority] });
  const caller = {
    api: runtime.api,
    token: await runtime.issueToken({ organizationId, group: 'administrators' }),
  };
  const operatorToken = await runtime.issueToken({ group: 'operators' });
  await ensureOrganization({ api: runtime.api, token: operatorToken }, organizationId);
  const { sqs, events, destroy } = clientsOf(runtime);
  return {
    organizationId,
    caller,
    receiver,
    receivedAt: (name) => received.filter(({ path }) => path === `/${name}`),
    endpointIds: await registerAll(caller, receiver),
    deadLetterQueueUrl: runtime.output('DeadLetterQueueUrl'),
    sqs,
    publish: (type, data) => publish(events, { busName: runtime.output('BusName'), type, data }),
    stop: async () => {
      destroy();
      await runtime.stop();
      await receiver.stop();
    },
  };
}

function clientsOf({ aws }: Runtime) {
  const configuration = {
    endpoint: aws.server.endpoint,
    region: aws.setting.region,
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
