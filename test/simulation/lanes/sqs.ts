import { SQSClient } from '@aws-sdk/client-sqs';
import type { Lane } from './lane.ts';
import type { Actor } from './meter.ts';

/** A client of SQS whose batches of messages reach lanes in virtual time; nothing else can be asked of it. */
export function sqsTo(
  lanes: readonly Lane[],
  { actor, travel }: { readonly actor: Actor; readonly travel: () => Promise<void> },
): SQSClient {
  const client = new SQSClient({ region: 'us-east-1' });
  client.middlewareStack.add(
    () =>
      async ({ input }) => {
        if (!('Entries' in input) || !('QueueUrl' in input)) throw new Error('batches of messages only');
        const lane = lanes.find(({ name }) => urlOf(name) === input.QueueUrl);
        if (lane === undefined) throw new Error(`there is no lane ${String(input.QueueUrl)}`);
        const batch = (input.Entries ?? []).map((entry) => {
          if (!('MessageBody' in entry)) throw new Error('sends only');
          const {
            MessageBody: body = '',
            DelaySeconds: delaySeconds = 0,
            MessageGroupId: groupId = '',
          } = entry;
          return { body, delaySeconds, groupId };
        });
        await travel();
        lane.send(actor, batch);
        const Successful = batch.map((_, index) => ({
          Id: String(index),
          MessageId: '',
          MD5OfMessageBody: '',
        }));
        return { output: { $metadata: {}, Successful, Failed: [] }, response: undefined };
      },
    { step: 'initialize', priority: 'high', name: 'lanes' },
  );
  return client;
}

export function urlOf(lane: string): string {
  return `https://sqs.us-east-1.amazonaws.com/000000000000/${lane}`;
}
