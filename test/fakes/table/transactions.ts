import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { check, parameters } from './parameters.ts';
import { refusal, tokenReused, transactionCanceled } from './refusal.ts';
import type { TableOf } from './table.ts';
import { writeUnits } from './units.ts';
import type { Observe } from './units.ts';
import { costOf, deleteOf, judge, putOf, updateOf } from './writes.ts';
import type { Change } from './writes.ts';

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

const itemsMax = 100;

/** So long a token stands for the transaction that came with it. */
const tokenMs = 600_000;

/** Writes of several items, all of them or none; each is made once, however often it is sent with the same token. */
export class Transactions {
  readonly #now: () => number;
  readonly #made = new Map<string, { readonly text: string; readonly atMs: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  write(tableOf: TableOf, input: TransactWriteCommandInput, observe: Observe): object {
    check(input, parameters.transaction);
    const { TransactItems = [], ClientRequestToken: token } = input;
    const changes = TransactItems.map((one) => changeOf(tableOf, one));
    checkItems(changes);
    const text = JSON.stringify(TransactItems);
    if (token !== undefined && this.#isMade(token, text)) return {};
    const judged = changes.map(judge);
    const isMet = judged.every((one) => one.isMet);
    for (const one of judged) {
      const { table } = one.change;
      const { indexUnits } = isMet ? table.write(one.before, one.after) : { indexUnits: {} };
      const cost = costOf(one, indexUnits);
      // Each item is written twice: once to prepare it.
      observe({
        ...{ operation: 'TransactWriteItems', ...cost },
        writeUnits: cost.writeUnits + writeUnits(cost.bytes),
      });
    }
    if (!isMet)
      throw transactionCanceled(judged.map((one) => (one.isMet ? 'None' : 'ConditionalCheckFailed')));
    if (token !== undefined) this.#made.set(token, { text, atMs: this.#now() });
    return {};
  }

  #isMade(token: string, text: string): boolean {
    const made = this.#made.get(token);
    if (made === undefined || made.atMs + tokenMs <= this.#now()) return false;
    if (made.text !== text) throw tokenReused();
    return true;
  }
}

function changeOf(tableOf: TableOf, one: TransactItem): Change {
  check(one, parameters.transactItem);
  const { Put, Update, Delete, ...others } = one;
  if ([Put, Update, Delete, ...Object.values(others)].filter((part) => part !== undefined).length !== 1)
    throw refusal('TransactItems can only contain one of Check, Put, Update or Delete');
  if (Put !== undefined) {
    check(Put, parameters.transactPut);
    return putOf(tableOf(Put.TableName), Put);
  }
  if (Update !== undefined) {
    check(Update, parameters.transactUpdate);
    return updateOf(tableOf(Update.TableName), Update);
  }
  check(Delete ?? {}, parameters.transactDelete);
  return deleteOf(tableOf(Delete?.TableName), { Key: undefined, ...Delete });
}

function checkItems(changes: readonly Change[]): void {
  if (changes.length === 0 || changes.length > itemsMax)
    throw refusal(
      `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length between 1 and ${itemsMax}`,
    );
  const places = new Set(changes.map(({ table, key: { pk, sk } }) => `${table.shape.name}\0${pk}\0${sk}`));
  if (places.size < changes.length)
    throw refusal('Transaction request cannot include multiple operations on one item');
}
