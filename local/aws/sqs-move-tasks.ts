import { AwsError } from './aws-error.ts';
import { checkRange, invalid, type StoredMessage } from './sqs-message.ts';
import type { Queue } from './sqs-queue.ts';
import { type Setting, uuid } from './setting.ts';

/** SQS: if a rate is set at all. */
const messagesPerSecondMax = 500;
/** A task that outruns everything else in the process would keep it from showing that it runs. */
const messagesPerTurn = 10;

export interface MoveTask {
  handle: string;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  sourceArn: string;
  destinationArn?: string | undefined;
  messagesPerSecond?: number | undefined;
  moved: number;
  toMove: number;
  failureReason?: string;
  startedAt: number;
}

export interface MoveRequest {
  sourceArn: string;
  /** Left out, each message goes back to the queue it came from. */
  destinationArn?: string | undefined;
  messagesPerSecond?: number | undefined;
}

/** What a move needs to know of the other queues. */
interface Queues {
  queueByArn(arn: string): Queue;
  sourcesOf(deadLetterQueue: Queue): Queue[];
}

/**
 * Dead-letter queue redrive, in the background, oldest first.
 * Source: SQS API reference, StartMessageMoveTask; developer guide, "Configure a dead-letter queue redrive".
 */
export class MoveTasks {
  readonly #setting: Setting;
  readonly #queues: Queues;
  readonly #tasks: MoveTask[] = [];
  #isClosed = false;

  constructor(setting: Setting, queues: Queues) {
    this.#setting = setting;
    this.#queues = queues;
  }

  /** Starts a move and answers at once; how it goes is for `list` to tell. One task at a time per source queue. */
  start(request: MoveRequest): MoveTask {
    const source = this.#queueNamed('SourceArn', request.sourceArn);
    if (this.#queues.sourcesOf(source).length === 0) {
      throw new AwsError('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
    }
    if (request.destinationArn !== undefined) this.#queueNamed('DestinationArn', request.destinationArn);
    checkRange('MaxNumberOfMessagesPerSecond', request.messagesPerSecond, messagesPerSecondMax);
    if (request.messagesPerSecond === 0) throw invalid('MaxNumberOfMessagesPerSecond', 'Must be at least 1');
    if (this.#tasks.some(({ sourceArn, status }) => sourceArn === source.arn && status === 'RUNNING')) {
      const only = 'Only one active task is allowed for a source queue arn at a given time.';
      throw new AwsError('InvalidParameterValue', `There is already a task running. ${only}`);
    }
    const { clock, random } = this.#setting;
    const counts = { moved: 0, toMove: source.counts().visible };
    const task: MoveTask = {
      ...request,
      ...counts,
      handle: uuid(random),
      status: 'RUNNING',
      startedAt: clock.now(),
    };
    this.#tasks.push(task);
    this.#later(task, 0);
    return task;
  }

  /** The latest tasks of a queue, newest first. */
  list(sourceArn: string, max = 1): MoveTask[] {
    this.#queueNamed('SourceArn', sourceArn);
    return this.#tasks
      .filter((task) => task.sourceArn === sourceArn)
      .reverse()
      .slice(0, max);
  }

  /** Stops a running task; what it has moved stays moved. */
  cancel(handle: string): MoveTask {
    const task = this.#tasks.find((one) => one.handle === handle && one.status === 'RUNNING');
    if (task === undefined)
      throw new AwsError('ResourceNotFoundException', 'Task does not exist.', { status: 404 });
    task.status = 'CANCELLED';
    return task;
  }

  /** A task words a missing queue in its own way. */
  #queueNamed(parameter: string, arn: string): Queue {
    try {
      return this.#queues.queueByArn(arn);
    } catch (cause) {
      const message = `The resource that you specified for the ${parameter} parameter doesn't exist.`;
      throw new AwsError('ResourceNotFoundException', message, { status: 404, cause });
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  #later(task: MoveTask, ms: number): void {
    this.#setting.clock.after(ms, () => {
      if (this.#isClosed) return;
      this.#turn(task).catch((cause: unknown) => {
        task.status = 'FAILED';
        task.failureReason = String(cause);
      });
    });
  }

  /** Moves a few messages, then waits for as long as the rate asks. */
  async #turn(task: MoveTask): Promise<void> {
    const source = this.#queues.queueByArn(task.sourceArn);
    const count = Math.min(messagesPerTurn, task.messagesPerSecond ?? messagesPerTurn);
    for (let moved = 0; moved < count && isRunning(task); moved++) await this.#moveOne(task, source);
    if (isRunning(task))
      this.#later(task, task.messagesPerSecond === undefined ? 0 : (count * 1000) / task.messagesPerSecond);
  }

  async #moveOne(task: MoveTask, source: Queue): Promise<void> {
    const taken = source.takeForMove();
    if (taken === undefined) {
      task.status = 'COMPLETED';
      return;
    }
    let isMoved = false;
    try {
      const destination = this.#destinationOf(taken.message, task);
      // A message that was sent here, not moved here, has no source: SQS ends the whole task, it does not skip.
      if (destination === undefined) throw new Error('CouldNotDetermineMessageSource');
      await destination.admit([this.#renewed(taken.message)]);
      isMoved = true;
      task.moved++;
    } catch (error) {
      task.status = 'FAILED';
      task.failureReason = error instanceof Error ? error.message : String(error);
    }
    await taken.settleMove(isMoved);
  }

  #destinationOf({ sourceArn }: StoredMessage, task: MoveTask): Queue | undefined {
    const arn = task.destinationArn ?? sourceArn;
    return arn === undefined ? undefined : this.#queues.queueByArn(arn);
  }

  /** A redriven message is new: new id, sent now, retention and receive count from the start. Its body is untouched. */
  #renewed(message: StoredMessage): StoredMessage {
    const now = this.#setting.clock.now();
    return {
      ...message,
      sourceArn: undefined,
      receives: undefined,
      id: uuid(this.#setting.random),
      sentAt: now,
      visibleAt: now,
    };
  }
}

function isRunning(task: MoveTask): boolean {
  return task.status === 'RUNNING';
}
