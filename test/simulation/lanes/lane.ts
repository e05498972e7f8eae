import type { SQSRecord } from 'aws-lambda';
import { Backlog } from '../../../local/aws/sqs-backlog.ts';
import { FlightLog } from '../../../local/aws/sqs-flight-log.ts';
import type { Outgoing } from '../../../lambdas/shared/queue.ts';
import type { Actor, Meter } from './meter.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Queued {
  readonly id: string;
  readonly groupId: string;
  readonly body: string;
  readonly sentAtMs: number;
}

/**
 * A queue in virtual time that counts its requests: delays and the order of fair queues, as the stand-in for SQS has
 * them. Nothing dies here, so nothing comes back: a message that was taken and is not done with is an error.
 */
export class Lane {
  readonly #waiting = new Backlog<Queued>();
  readonly #flights = new FlightLog();
  readonly #around: { readonly time: VirtualTime; readonly meter: Meter };
  readonly name: string;
  #sent = 0;
  #delayed = 0;
  /** Told when something can be taken. */
  onVisible = (): void => undefined;

  constructor(name: string, around: { readonly time: VirtualTime; readonly meter: Meter }) {
    this.name = name;
    this.#around = around;
  }

  get visible(): number {
    return this.#waiting.size;
  }

  /** Nothing waits, and nothing is worked on. */
  get isEmpty(): boolean {
    return this.#waiting.size + this.#delayed + this.#flights.size === 0;
  }

  /** Takes in what comes in one request. */
  send(actor: Actor, batch: readonly Outgoing[]): void {
    const { time, meter } = this.#around;
    meter.queueRequest(actor, bytesOf(batch));
    for (const [delaySeconds, some] of Map.groupBy(batch, (one) => one.delaySeconds)) {
      const messages = some.map(({ body, groupId }) => {
        return { id: `${this.name}-${(this.#sent += 1)}`, groupId, body, sentAtMs: time.now() };
      });
      this.#delayed += messages.length;
      time.at(time.now() + delaySeconds * 1_000, () => {
        this.#delayed -= messages.length;
        for (const message of messages) this.#waiting.add(message);
        this.onVisible();
      });
    }
  }

  /** Hands out what can be taken, quiet groups first. */
  take(actor: Actor, messagesMax: number): Queued[] {
    const taken: Queued[] = [];
    while (taken.length < messagesMax) {
      const message = this.#waiting.take((group) => this.#flights.isNoisy(group));
      if (message === undefined) break;
      this.#flights.start(message.groupId);
      taken.push(message);
    }
    if (taken.length > 0) this.#around.meter.queueRequest(actor, bytesOf(taken));
    return taken;
  }

  /** What was taken together is deleted together. */
  delete(actor: Actor, batch: readonly Queued[]): void {
    for (const { groupId } of batch) this.#flights.end(groupId);
    this.#around.meter.queueRequest(actor, 0);
  }
}

function bytesOf(batch: readonly { readonly body: string }[]): number {
  return batch.reduce((sum, { body }) => sum + body.length, 0);
}

/** A message as Lambda hands it to a function. */
export function recordOf({ id, body, groupId, sentAtMs }: Queued, queue: string): SQSRecord {
  return {
    messageId: id,
    receiptHandle: id,
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(sentAtMs),
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: String(sentAtMs),
      MessageGroupId: groupId,
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
    awsRegion: 'us-east-1',
  };
}
