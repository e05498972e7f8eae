import { AwsError } from './aws-error.ts';
import { type Setting, uuid } from './setting.ts';
import { heldBackMs, hiddenMs, type QueueFaults } from './sqs-faults.ts';
import { checkMessage, invalid, type OutgoingMessage, refusal, type StoredMessage } from './sqs-message.ts';
import * as received from './sqs-received.ts';
import { Stock } from './sqs-stock.ts';
import { MessageStore } from './sqs-store.ts';
import { Waiters } from './sqs-waiters.ts';

export interface QueueDefinition {
  name: string;
  visibilityTimeoutSeconds: number;
  messageRetentionSeconds: number;
  delaySeconds: number;
  redrive?: { deadLetterQueueArn: string; maxReceiveCount: number } | undefined;
}

const purgeMs = 60_000;

interface QueueParts {
  setting: Setting;
  definition: QueueDefinition;
  deadLetterQueue?: Queue | undefined;
  faults?: QueueFaults | undefined;
}

/**
 * One standard queue. What SDK callers reach over HTTP and what runs in-process is this one implementation.
 *
 * Sends and deletes are on the shelf before they are answered. Receives are not: after a restart every message that was
 * in flight is visible at once and its receive count starts again, which at-least-once delivery allows.
 */
export class Queue {
  readonly definition: QueueDefinition;
  readonly arn: string;
  readonly createdAt: number;
  readonly #setting: Setting;
  readonly #deadLetterQueue: Queue | undefined;
  readonly #faults: QueueFaults | undefined;
  readonly #store: MessageStore;
  readonly #stock: Stock;
  readonly #waiters = new Waiters();
  #isClosed = false;
  #purgedAt = -Infinity;

  /** Opens the queue with whatever the shelf still holds of it. */
  static async open(parts: QueueParts): Promise<Queue> {
    const queue = new Queue(parts);
    for (const message of await queue.#store.load()) queue.#stock.hold(message);
    return queue;
  }

  private constructor({ setting, definition, deadLetterQueue, faults }: QueueParts) {
    this.definition = definition;
    this.arn = `arn:aws:sqs:${setting.region}:${setting.accountId}:${definition.name}`;
    this.createdAt = setting.clock.now();
    this.#setting = setting;
    this.#deadLetterQueue = deadLetterQueue;
    this.#faults = faults;
    this.#store = new MessageStore(setting.shelf, definition.name);
    this.#stock = new Stock({
      clock: setting.clock,
      retentionMs: definition.messageRetentionSeconds * 1000,
      onVisible: () => {
        this.#waiters.wakeOne();
      },
      // An expired message that could not be removed from the shelf is found expired again at the next start.
      onExpired: ({ id }) => void this.#store.remove(id).catch(() => undefined),
    });
  }

  /** Where SDK callers find the queue: the server's address, the account, the name. */
  get url(): string {
    return `${this.#setting.endpoint()}/${this.#setting.accountId}/${this.definition.name}`;
  }

  async send(message: OutgoingMessage): Promise<StoredMessage> {
    checkMessage(message);
    const stored = this.#stored(message);
    await this.admit([stored]);
    return stored;
  }

  /** Several new messages, which the caller has checked; they become visible together. */
  async sendAll(messages: OutgoingMessage[]): Promise<StoredMessage[]> {
    const stored = messages.map((message) => this.#stored(message));
    await this.admit(stored);
    return stored;
  }

  /** Takes in messages as they are, from a send or a move: first on the shelf, then to whoever waits. */
  async admit(messages: StoredMessage[]): Promise<void> {
    await this.#store.put(messages);
    for (const message of messages) this.#stock.hold(message);
  }

  /** Up to `max` messages, waiting for the first as long as it was asked to. */
  async receive(request: received.ReceiveRequest = {}): Promise<received.Received[]> {
    const { max = 1, waitSeconds = 0, signal } = received.checkReceive(request);
    const { clock } = this.#setting;
    const until = clock.now() + waitSeconds * 1000;
    for (;;) {
      if (signal?.aborted === true || this.#isClosed) return this.#leave();
      const { taken, buried } = this.#take(max, request.visibilityTimeoutSeconds);
      if (taken.length === 0 && buried.length === 0) {
        const leftMs = until - clock.now();
        if (leftMs <= 0) return this.#nothing(waitSeconds);
        // Nothing may be awaited between the look and this, or a message shown meanwhile would wake nobody.
        await this.#waiters.wait(clock, { ms: leftMs, signal });
      }
      await Promise.all(buried);
      if (taken.length > 0) return taken;
    }
  }

  /** Deletes the message if the handle is of its latest receive; any older handle answers success and does nothing. */
  async delete(receiptHandle: string): Promise<void> {
    const held = this.#find(receiptHandle);
    if (held?.receiptHandle === receiptHandle) await this.#drop(held);
  }

  /**
   * Hides a message in flight for this many seconds from now; 0 brings it back at once. Holds for this receive only. An
   * older handle does so too, though another receiver has the message by now: a handle is no fencing token. Of a message
   * that is visible nothing changes, and the answer is success.
   */
  changeVisibility(receiptHandle: string, seconds: number): void {
    received.checkVisibility(seconds);
    this.#stock.settle();
    const held = this.#find(receiptHandle);
    if (held === undefined) {
      throw invalid(
        'ReceiptHandle',
        'Message does not exist or is not available for visibility timeout change',
      );
    }
    if (held.state !== 'in flight') return;
    const dueAt = this.#setting.clock.now() + seconds * 1000;
    received.checkTotalVisibility(dueAt - held.receivedAt);
    if (seconds === 0) this.#stock.show(held);
    else this.#stock.hide(held, dueAt);
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    this.#stock.settle();
    return this.#stock.counts();
  }

  /** Deletes every message, at once; AWS takes up to a minute, and refuses another purge until then. */
  async purge(): Promise<void> {
    const now = this.#setting.clock.now();
    if (now - this.#purgedAt < purgeMs) {
      const message = `Only one PurgeQueue operation on ${this.definition.name} is allowed every 60 seconds.`;
      const queryCode = 'AWS.SimpleQueueService.PurgeQueueInProgress';
      throw new AwsError('PurgeQueueInProgress', message, { status: 403, queryCode });
    }
    this.#purgedAt = now;
    await Promise.all(this.#stock.all().map((held) => this.#drop(held)));
  }

  /**
   * For a move task: takes out the first visible message, without a receive. It stays on the shelf until `settleMove`
   * says that it was moved; if it was not, it returns to the end of the line.
   */
  takeForMove(): { message: StoredMessage; settleMove: (isMoved: boolean) => Promise<void> } | undefined {
    this.#stock.settle();
    const held = this.#stock.next({ isFair: false });
    if (held === undefined) return undefined;
    this.#stock.drop(held);
    const settleMove = async (isMoved: boolean) => {
      if (isMoved) await this.#store.remove(held.id);
      else this.#stock.hold(held.message);
    };
    return { message: held.message, settleMove };
  }

  /** Stops its timers and lets every waiting receiver go with nothing. */
  close(): void {
    this.#isClosed = true;
    this.#stock.close();
    this.#waiters.wakeAll();
  }

  /** A new message made of what a sender gave: new id, sent now. */
  #stored({ body, delaySeconds, groupId, attributes, traceHeader }: OutgoingMessage): StoredMessage {
    const sentAt = this.#setting.clock.now();
    const delayMs = (delaySeconds ?? this.definition.delaySeconds) * 1000;
    const visibleAt = sentAt + delayMs + heldBackMs(this.#faults, this.definition.name);
    return { id: uuid(this.#setting.random), body, groupId, attributes, traceHeader, sentAt, visibleAt };
  }

  /** A receiver that goes without taking anything passes on the wake-up it may have been given. */
  #leave(): received.Received[] {
    if (this.#stock.counts().visible > 0) this.#waiters.wakeOne();
    return [];
  }

  #nothing(waitSeconds: number): received.Received[] {
    // Long polling, which is what Lambda does, gets silence here: the trap of 120,000 messages in flight.
    if (waitSeconds > 0 || !this.#stock.isFull) return [];
    throw refusal('OverLimit', 'Too many messages are in flight.');
  }

  /** What can be received now, and the moves of what was received too often. */
  #take(max: number, visibilitySeconds = this.definition.visibilityTimeoutSeconds) {
    this.#stock.settle();
    const taken: received.Received[] = [];
    const buried: Promise<void>[] = [];
    const maxReceiveCount = this.definition.redrive?.maxReceiveCount ?? Infinity;
    while (taken.length < max && !this.#stock.isFull) {
      const held = this.#stock.next({ isFair: true });
      if (held === undefined) break;
      if (held.receives >= maxReceiveCount) buried.push(this.#bury(held));
      else taken.push(this.#lend(held, visibilitySeconds * 1000));
    }
    return { taken, buried };
  }

  #lend(held: received.Held, visibilityMs: number): received.Received {
    const now = this.#setting.clock.now();
    held.receives++;
    held.receivedAt = now;
    held.firstReceivedAt ??= now;
    held.receiptHandle = received.handleFor(held, uuid(this.#setting.random));
    this.#stock.lend(held, now + hiddenMs(this.#faults, { ms: visibilityMs, receives: held.receives }));
    return received.receivedFrom(held);
  }

  /** SQS moves a message whose receive count would exceed the maximum; it keeps everything, and its count goes on. */
  async #bury(held: received.Held): Promise<void> {
    this.#stock.drop(held);
    const visibleAt = this.#setting.clock.now();
    const { message, receives } = held;
    await this.#deadLetterQueue?.admit([{ ...message, visibleAt, sourceArn: this.arn, receives }]);
    await this.#store.remove(held.id);
  }

  #drop(held: received.Held): Promise<void> {
    this.#stock.drop(held);
    return this.#store.remove(held.id);
  }

  #find(receiptHandle: string): received.Held | undefined {
    const id = received.idOfHandle(receiptHandle);
    if (id === undefined) throw refusal('ReceiptHandleIsInvalid', 'The receipt handle is not valid.');
    return this.#stock.find(id);
  }
}
