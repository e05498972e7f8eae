import type { Shelf } from './shelf.ts';
import { storedMessage, type StoredMessage } from './sqs-message.ts';

/** One queue's messages on the shelf. */
export class MessageStore {
  readonly #shelf: Shelf;
  readonly #prefix: string;

  constructor(shelf: Shelf, queueName: string) {
    this.#shelf = shelf;
    this.#prefix = `sqs/${queueName}/`;
  }

  async put(messages: StoredMessage[]): Promise<void> {
    await Promise.all(messages.map((message) => this.#shelf.put(this.#prefix + message.id, message)));
  }

  remove(id: string): Promise<void> {
    return this.#shelf.remove(this.#prefix + id);
  }

  /** Everything kept, in the order it was sent. */
  async load(): Promise<StoredMessage[]> {
    const records = await this.#shelf.entries(this.#prefix);
    return records
      .map(([, value]) => storedMessage.parse(value))
      .sort((one, other) => one.sentAt - other.sentAt);
  }
}
