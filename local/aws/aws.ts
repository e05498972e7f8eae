import { join } from 'node:path';

import { openDynamoDb } from './dynamodb.ts';
import { type BusFaults, EventBuses, eventsService } from './event-bus.ts';
import type { BusHops } from './event-target.ts';
import { kmsService } from './kms-api.ts';
import { Kms } from './kms.ts';
import { secretsManagerService } from './secrets-manager-api.ts';
import { SecretsManager } from './secrets-manager.ts';
import { type AwsServer, type AwsServerOptions, startAwsServer } from './server.ts';
import { aSetting, type Setting } from './setting.ts';
import { folderShelf, memoryShelf } from './shelf.ts';
import { sqsService } from './sqs-api.ts';
import type { QueueFaults } from './sqs-faults.ts';
import { Sqs } from './sqs.ts';
import { taggingService } from './tagging.ts';

export interface LocalAwsOptions {
  /** Where everything is kept; without it, in memory. One process at a time may use a folder. */
  folder?: string | undefined;
  port?: number | undefined;
  setting?: Partial<Omit<Setting, 'shelf' | 'endpoint'>>;
  queueFaults?: QueueFaults | undefined;
  busFaults?: BusFaults | undefined;
  /** Judges what the bus does in its own name; what it throws is a refusal. */
  busHops?: BusHops | undefined;
  permit?: AwsServerOptions['permit'];
  beforeCall?: AwsServerOptions['beforeCall'];
  afterCall?: AwsServerOptions['afterCall'];
}

export interface LocalAws {
  setting: Setting;
  sqs: Sqs;
  buses: EventBuses;
  kms: Kms;
  secrets: SecretsManager;
  server: AwsServer;
  /** What the SDK reads so that its clients, made without options, come here. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

/** All stand-ins, wired and listening on loopback. Queues, buses, rules and tables are the caller's to make. */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const { folder } = options;
  const shelf = folder === undefined ? memoryShelf() : await folderShelf(join(folder, 'shelf'));
  const started: { server?: AwsServer } = {};
  const endpoint = () => started.server?.endpoint ?? 'http://127.0.0.1';
  const setting = aSetting({ ...options.setting, shelf, endpoint });
  const sqs = new Sqs(setting, options.queueFaults);
  const buses = new EventBuses(setting, sqs, { faults: options.busFaults, hops: options.busHops });
  const [kms, secrets] = [await Kms.open(setting), await SecretsManager.open(setting)];
  const dynamodb = openDynamoDb(folder && join(folder, 'dynamodb'));
  const services = {
    sqs: sqsService(sqs),
    events: eventsService(buses),
    kms: kmsService(kms),
    secretsmanager: secretsManagerService(secrets),
    tagging: taggingService(kms),
  };
  const server = await startAwsServer({
    services,
    dynamodb,
    port: options.port,
    permit: options.permit,
    beforeCall: options.beforeCall,
    afterCall: options.afterCall,
  });
  started.server = server;
  const close = async () => {
    sqs.close();
    await server.close();
    await dynamodb.close();
    await shelf.close();
  };
  return { setting, sqs, buses, kms, secrets, server, environment: environmentFor(server, setting), close };
}

/** The SDK's own variables; the keys are dummies, since it will not send an unsigned request. */
function environmentFor({ endpoint }: AwsServer, { region }: Setting): Record<string, string> {
  const services = [
    'SQS',
    'EVENTBRIDGE',
    'KMS',
    'SECRETS_MANAGER',
    'DYNAMODB',
    'RESOURCE_GROUPS_TAGGING_API',
  ];
  return {
    ...Object.fromEntries(services.map((name) => [`AWS_ENDPOINT_URL_${name}`, endpoint])),
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
