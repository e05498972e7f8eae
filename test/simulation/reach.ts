import { ChangeMessageVisibilityBatchCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AwsError } from '../../local/aws/aws-error.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { suspend } from './life.ts';
import type { Life } from './life.ts';
import { deliveriesOf, nameOf, placesOf } from './requests.ts';
import { parsed, referenceIn } from './references.ts';
import { watchSent } from './watched-messages.ts';
import type { World } from './world.ts';

/**
 * The clients of AWS as one function has them: each request is a place where it waits until it is its turn, and where
 * something may befall it.
 */
export function reachTables(world: World, life: Life): DynamoDBDocumentClient {
  const { tables } = world;
  const send = (command: unknown) =>
    suspend(world, life, {
      ...{ name: 'dynamodb', service: 'dynamodb' },
      tell: () => nameOf(command),
      ...{ abouts: deliveriesOf(command), places: placesOf(command) },
      make: () => {
        world.hand.life = life;
        world.plant?.request?.(command, life.name);
        try {
          const answer: unknown = Reflect.apply(Reflect.get(tables.client, 'send'), tables.client, [command]);
          return Promise.resolve(answer);
        } finally {
          world.hand.life = undefined;
        }
      },
    });
  return sendingBy(tables.client, send);
}

/** Never asked for anything: it lends its type. */
const sqsClient = new SQSClient({ region: 'us-east-1' });

export function reachQueues(world: World, life: Life): SQSClient {
  return sendingBy(sqsClient, (command: unknown) => {
    if (command instanceof SendMessageBatchCommand) return sendBatch(world, life, command.input);
    if (!(command instanceof ChangeMessageVisibilityBatchCommand))
      throw new Error('SQS is not asked for this');
    const { QueueUrl = '', Entries = [] } = command.input;
    return suspend(world, life, {
      ...{ name: 'release', service: 'sqs', abouts: [], places: [] },
      make: () => {
        const queue = world.sqs.queueByUrl(QueueUrl);
        for (const { ReceiptHandle = '' } of Entries) showAgain(queue, ReceiptHandle);
        return Promise.resolve({});
      },
    });
  });
}

function sendBatch(
  world: World,
  life: Life,
  { QueueUrl = '', Entries = [] }: SendMessageBatchCommandInput,
): Promise<unknown> {
  const queue = world.sqs.queueByUrl(QueueUrl);
  const { chance, weather, time } = world;
  return suspend(world, life, {
    ...{ name: `send to ${queue.definition.name}`, service: 'sqs', places: [] },
    abouts: Entries.flatMap(({ MessageBody = '' }) => referenceIn(parsed(MessageBody)) ?? []),
    make: async () => {
      const [Successful, Failed]: [object[], object[]] = [[], []];
      for (const { Id, MessageBody: body = '', DelaySeconds: delaySeconds = 0, MessageGroupId } of Entries) {
        // Of a batch some messages may be refused, though it is answered with 200.
        if (time.now() < weather.calmAtMs && chance.isLucky(weather.partial)) {
          const about = referenceIn(parsed(body));
          if (about !== undefined) {
            world.book.disturb(about);
            world.book.fail(about);
          }
          Failed.push({ Id, Code: 'InternalError' });
          continue;
        }
        const { id } = await queue.send({ body, delaySeconds, groupId: MessageGroupId });
        watchSent(world, life, { id, queue, body, delaySeconds });
        Successful.push({ Id });
      }
      return { Successful, Failed };
    },
  });
}

/** Makes a message visible; one that is not in flight any more is a failed entry, which nobody looks at. */
export function showAgain(queue: Queue, receiptHandle: string): void {
  try {
    queue.changeVisibility(receiptHandle, 0);
  } catch (fault) {
    if (!(fault instanceof AwsError)) throw fault;
  }
}

/** The same client, but what it is asked for goes another way. */
function sendingBy<Client extends object>(client: Client, send: (command: unknown) => unknown): Client {
  return new Proxy(client, {
    get: (target, name, receiver): unknown => (name === 'send' ? send : Reflect.get(target, name, receiver)),
  });
}
