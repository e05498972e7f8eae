import { CfnOutput, Lazy, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Api } from './api.ts';
import { Canary } from './canary.ts';
import { Delivery } from './delivery.ts';
import { Egress } from './egress.ts';
import { Expiry } from './expiry.ts';
import { HandlerFunction } from './handler-function.ts';
import { Identity } from './identity.ts';
import { Ingest } from './ingest.ts';
import { Recovery } from './recovery.ts';
import { Routing } from './routing.ts';
import { receiversEnvironment } from './receivers.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { readSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { Storage } from './storage.ts';
import { Tester } from './tester.ts';
import { Upkeep } from './upkeep.ts';
import { Waiting } from './waiting.ts';

/** The whole of Tidings, as the diagram in docs/architecture.md draws it. */
export class TidingsStack extends Stack {
  public constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, { description: 'Tidings: signed webhooks out of your own account', ...props });
    const settings = readSettings(this.node);
    const { stage } = settings;
    const secretPrefix = `tidings/${stage}`;

    // The API comes last, and the functions made before it must know its name, to refuse it as a receiver.
    const ownHost: string = Lazy.string({ produce: () => api.host });
    const issuer = `https://${ownHost}`;
    const receivers = receiversEnvironment(settings, ownHost);

    const egress = egressOf(this, settings);
    const network = egress?.network;

    const storage = new Storage(this, 'Storage');
    const ingest = new Ingest(this, 'Ingest', {
      settings,
      key: storage.key,
      visibilitySeconds: 6 * Routing.timeoutSeconds,
    });
    const { bus } = ingest;
    const recovery = new Recovery(this, 'Recovery', { stage, storage });
    const delivery = new Delivery(this, 'Delivery', {
      ...{ settings, storage, bus, recovery: recovery.queue },
      ...{ secretPrefix, receivers, issuer, network },
    });
    new Routing(this, 'Routing', {
      storage,
      bus,
      events: ingest.events,
      eventsFalling: ingest.eventsFalling,
      deliveries: delivery.deliveries,
      settings,
    });
    const { retries } = delivery;
    recovery.recoverTo({ storage, bus, retries });
    new Waiting(this, 'Waiting', { storage, retries, recovery: recovery.queue });
    const identity = new Identity(this, 'Identity', { settings, storage, ownHost });
    const api = new Api(this, 'Api', {
      ...{ settings, storage, identity, bus, retries, secretPrefix, receivers },
      recovery: recovery.queue,
    });

    new Tester(this, 'Tester', { settings, storage, api, secretPrefix, receivers, issuer, network });
    new Expiry(this, 'Expiry', { storage, bus: ingest.bus, stage });
    new Upkeep(this, 'Upkeep', { storage, bus, deliveriesDead: delivery.deliveriesDead });

    if (settings.canary) new Canary(this, 'Canary', { settings, storage, bus, secretPrefix, receivers });

    const monitoring = new Monitoring(this, 'Monitoring', { settings, key: storage.key });

    if (settings.tracing) {
      for (const node of this.node.findAll()) if (node instanceof HandlerFunction) node.trace();
    }

    new CfnOutput(this, 'ApiUrl', { value: api.url });
    new CfnOutput(this, 'WebhookIssuer', { value: issuer });
    new CfnOutput(this, 'BusName', { value: ingest.bus.eventBusName });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: delivery.deliveriesDead.queueUrl });
    new CfnOutput(this, 'ConfigTable', { value: storage.config.tableName });
    new CfnOutput(this, 'LedgerTable', { value: storage.ledger.tableName });
    new CfnOutput(this, 'TokenIssuer', { value: identity.issuer });
    for (const [name, value] of Object.entries(identity.outputs)) new CfnOutput(this, name, { value });
    new CfnOutput(this, 'AlarmTopic', { value: monitoring.topic.topicArn });
    if (egress) new CfnOutput(this, 'EgressAddresses', { value: egress.addresses.join(',') });
  }
}

function egressOf(scope: Construct, { egressZones: zones, receiverPorts }: Settings): Egress | undefined {
  if (zones === 0) return undefined;
  return new Egress(scope, 'Egress', { zones, ports: receiverPorts.split(',').map(Number) });
}
