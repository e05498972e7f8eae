import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { PublishedEntry } from './publication/publish-once.ts';
import { traceHeader } from '../shared/trace.ts';

export type Publish = (entry: PublishedEntry) => Promise<void>;

/** Puts events on the bus; throws when EventBridge did not take the entry, which it may say within a 200. */
export function makePublish(client: EventBridgeClient, busName: string): Publish {
  return async function publish({ source, detailType, detail, resources = [] }) {
    const entry = {
      ...{ EventBusName: busName, Source: source, DetailType: detailType, Detail: detail },
      ...(resources.length === 0 ? {} : { Resources: [...resources] }),
      TraceHeader: traceHeader(),
    };
    const answer = await client.send(new PutEventsCommand({ Entries: [entry] }));
    const [first] = answer.Entries ?? [];
    if (first?.EventId === undefined) {
      throw new Error(`EventBridge did not take the event: ${first?.ErrorCode ?? 'no answer'}`);
    }
  };
}
