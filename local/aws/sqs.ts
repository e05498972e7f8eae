import { AwsError } from './aws-error.ts';
import type { QueueFaults } from './sqs-faults.ts';
import { invalid } from './sqs-message.ts';
import { MoveTasks } from './sqs-move-tasks.ts';
import { Queue, type QueueDefinition } from './sqs-queue.ts';
import { checkVisibility } from './sqs-received.ts';
import { checkRange } from './sqs-message.ts';
import type { Setting } from './setting.ts';

/** SQS: 80 alphanumeric characters, hyphens and underscores. FIFO queues (`.fifo`) are not played here. */
const namePattern = /^[\w-]{1,80}$/;
const retentionSeconds = { min: 60, max: 1_209_600 };

/** All queues of the account. */
export class Sqs {
  readonly moveTasks: MoveTasks;
  readonly #setting: Setting;
  readonly #faults: QueueFaults | undefined;
  readonly #queues = new Map<string, Queue>();

  constructor(setting: Setting, faults?: QueueFaults) {
    this.#setting = setting;
    this.#faults = faults;
    this.moveTasks = new MoveTasks(setting, this);
  }

  /** Makes the queue, with the messages its shelf still holds. Its dead-letter queue must be there first, as on AWS. */
  async createQueue(definition: QueueDefinition): Promise<Queue> {
    this.#check(definition);
    const { name, redrive } = definition;
    const queue = await Queue.open({
      setting: this.#setting,
      definition,
      deadLetterQueue: redrive && this.queueByArn(redrive.deadLetterQueueArn),
      faults: this.#faults,
    });
    this.#queues.set(name, queue);
    return queue;
  }

  queues(): Queue[] {
    return [...this.#queues.values()];
  }

  queueByName(name: string): Queue {
    const queue = this.#queues.get(name);
    if (queue !== undefined) return queue;
    const options = { queryCode: 'AWS.SimpleQueueService.NonExistentQueue' };
    throw new AwsError('QueueDoesNotExist', `The specified queue does not exist: ${name}.`, options);
  }

  queueByArn(arn: string): Queue {
    const prefix = `arn:aws:sqs:${this.#setting.region}:${this.#setting.accountId}:`;
    if (!arn.startsWith(prefix)) throw invalid('Arn', `${arn} is not a queue of this account and region`);
    return this.queueByName(arn.slice(prefix.length));
  }

  /** By account and name only: a URL kept from an earlier start names the same queue on another port. */
  queueByUrl(url: string): Queue {
    const parts = URL.parse(url)?.pathname.split('/') ?? [];
    if (parts.length !== 3 || parts[1] !== this.#setting.accountId) {
      throw new AwsError('InvalidAddress', `${url} is not the address of a queue of this account.`);
    }
    return this.queueByName(parts[2] ?? '');
  }

  /** The queues whose dead messages go to this one. */
  sourcesOf(deadLetterQueue: Queue): Queue[] {
    return this.queues().filter(
      ({ definition }) => definition.redrive?.deadLetterQueueArn === deadLetterQueue.arn,
    );
  }

  close(): void {
    this.moveTasks.close();
    for (const queue of this.queues()) queue.close();
  }

  #check({ name, redrive, ...definition }: QueueDefinition): void {
    if (!namePattern.test(name))
      throw invalid('QueueName', 'It must be 1 to 80 characters: letters, digits, - and _');
    if (this.#queues.has(name))
      throw new AwsError('QueueNameExists', `There is already a queue named ${name}.`);
    checkVisibility(definition.visibilityTimeoutSeconds);
    checkRange('DelaySeconds', definition.delaySeconds, 900);
    checkRange('MessageRetentionPeriod', definition.messageRetentionSeconds, retentionSeconds.max);
    if (definition.messageRetentionSeconds < retentionSeconds.min) {
      throw invalid('MessageRetentionPeriod', `Must be >= ${retentionSeconds.min}`);
    }
    if (redrive === undefined) return;
    checkRange('maxReceiveCount', redrive.maxReceiveCount, 1000);
    if (redrive.maxReceiveCount < 1) throw invalid('maxReceiveCount', 'Must be between 1 and 1000');
  }
}
