import { Heap } from './heap.ts';

/** What is waiting to be received, with its fairness: first come, first served, but noisy groups last. */
export class Backlog<Message extends { id: string; groupId?: string | undefined }> {
  /** Groups by the place in line of their first message. */
  readonly #groups = new Heap<Heap<Message>>();
  readonly #byName = new Map<string, Heap<Message>>();
  readonly #names = new Map<Heap<Message>, string>();
  #arrived = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Puts a message at the end of the line. */
  add(message: Message): void {
    const name = groupOf(message);
    const group = this.#byName.get(name) ?? new Heap<Message>();
    this.#byName.set(name, group);
    this.#names.set(group, name);
    group.set(message, this.#arrived++);
    this.#size++;
    this.#place(group);
  }

  delete(message: Message): void {
    const group = this.#byName.get(groupOf(message));
    if (group?.delete(message) !== true) return;
    this.#size--;
    this.#place(group);
  }

  /**
   * Takes the message that has waited longest among the groups that are not noisy, else among the noisy ones.
   * A noisy group holds more than a tenth of what is in flight, so at most nine are ever set aside.
   */
  take(isNoisy: (group: string) => boolean): Message | undefined {
    const aside: Heap<Message>[] = [];
    let group = this.#groups.first()?.item;
    while (group !== undefined && isNoisy(this.#names.get(group) ?? '')) {
      aside.push(group);
      this.#groups.delete(group);
      group = this.#groups.first()?.item;
    }
    for (const noisy of aside) this.#place(noisy);
    const message = (group ?? aside[0])?.first()?.item;
    if (message !== undefined) this.delete(message);
    return message;
  }

  #place(group: Heap<Message>): void {
    const first = group.first();
    if (first !== undefined) {
      this.#groups.set(group, first.rank);
      return;
    }
    this.#groups.delete(group);
    this.#byName.delete(this.#names.get(group) ?? '');
    this.#names.delete(group);
  }
}

/** SQS: a message without a group id is a group of its own. The space keeps it apart from real ids, which have none. */
export function groupOf(message: { id: string; groupId?: string | undefined }): string {
  return message.groupId ?? ` ${message.id}`;
}
