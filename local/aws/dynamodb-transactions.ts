import { z } from 'zod';
import { AwsError } from './aws-error.ts';

/** Has dynalite carry out an action. @throws AwsError as it refuses */
export type Ask = (action: string, input: object) => Promise<unknown>;

const item = z.record(z.string(), z.unknown());
const common = {
  TableName: z.string(),
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: item.optional(),
  ExpressionAttributeValues: item.optional(),
};
const input = z.strictObject({
  TransactItems: z
    .array(
      z.union([
        z.strictObject({ Put: z.strictObject({ ...common, Item: item }) }),
        z.strictObject({
          Update: z.strictObject({ ...common, Key: item, UpdateExpression: z.string() }),
        }),
        z.strictObject({ Delete: z.strictObject({ ...common, Key: item }) }),
      ]),
    )
    .min(1)
    .max(100),
  ClientRequestToken: z.string().min(1).max(36).optional(),
});

/** One write of a transaction, as the request of its own that it is for dynalite. */
interface Write {
  readonly action: 'PutItem' | 'UpdateItem' | 'DeleteItem';
  readonly request: object;
  readonly TableName: string;
  readonly Key: z.output<typeof item>;
}

/** What a write has left behind: the item as it was before. */
interface Made {
  readonly write: Write;
  readonly before: z.output<typeof item> | undefined;
}

/** DynamoDB remembers a token for ten minutes. */
const tokensMax = 1_000;

/**
 * TransactWriteItems, which dynalite does not know: its writes are made one after the other, and taken back when one of
 * them is refused. Whoever calls it sees to it that nobody looks meanwhile. What is killed in the middle leaves half of it.
 */
export class DynamoDbTransactions {
  readonly #ask: Ask;
  readonly #keys = new Map<string, readonly string[]>();
  readonly #made = new Map<string, string>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** @throws AwsError as DynamoDB refuses; nothing has changed then */
  async write(given: unknown): Promise<object> {
    const parsed = input.safeParse(given);
    if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
    const { TransactItems, ClientRequestToken: token } = parsed.data;
    const text = JSON.stringify(TransactItems);
    if (token !== undefined && this.#isMade(token, text)) return {};
    const writes: Write[] = [];
    for (const one of TransactItems) writes.push(await this.#writeOf(one));
    const places = new Set(writes.map(({ TableName, Key }) => JSON.stringify([TableName, Key])));
    if (places.size < writes.length)
      throw invalid('Transaction request cannot include multiple operations on one item');
    await this.#makeAll(writes);
    if (token !== undefined) this.#remember(token, text);
    return {};
  }

  #isMade(token: string, text: string): boolean {
    const made = this.#made.get(token);
    if (made === undefined || made === text) return made === text;
    const message = 'The client token was used before with other parameters';
    throw new AwsError('IdempotentParameterMismatchException', message);
  }

  #remember(token: string, text: string): void {
    this.#made.set(token, text);
    const [oldest] = this.#made.keys();
    if (this.#made.size > tokensMax && oldest !== undefined) this.#made.delete(oldest);
  }

  async #writeOf(one: z.output<typeof input>['TransactItems'][number]): Promise<Write> {
    if ('Update' in one) return { action: 'UpdateItem', request: one.Update, ...one.Update };
    if ('Delete' in one) return { action: 'DeleteItem', request: one.Delete, ...one.Delete };
    const { TableName, Item } = one.Put;
    const names = await this.#keyNames(TableName);
    const Key = Object.fromEntries(names.flatMap((name) => (name in Item ? [[name, Item[name]]] : [])));
    return { action: 'PutItem', request: one.Put, TableName, Key };
  }

  async #keyNames(TableName: string): Promise<readonly string[]> {
    const known = this.#keys.get(TableName);
    if (known !== undefined) return known;
    const { Table } = described.parse(await this.#ask('DescribeTable', { TableName }));
    const names = Table.KeySchema.map(({ AttributeName }) => AttributeName);
    this.#keys.set(TableName, names);
    return names;
  }

  async #makeAll(writes: readonly Write[]): Promise<void> {
    const made: Made[] = [];
    const refused = new Set<Write>();
    try {
      for (const write of writes) {
        const request = { ...write.request, ReturnValues: 'ALL_OLD' };
        // All conditions are looked at: the answer tells of each.
        const answer = await this.#ask(write.action, request).catch((fault: unknown) => {
          if (!isConditionFailed(fault)) throw fault;
          refused.add(write);
        });
        if (!refused.has(write)) made.push({ write, before: written.parse(answer).Attributes });
      }
    } catch (fault) {
      await this.#takeBack(made);
      throw fault;
    }
    if (refused.size === 0) return;
    await this.#takeBack(made);
    throw canceled(writes.map((write) => refused.has(write)));
  }

  async #takeBack(made: readonly Made[]): Promise<void> {
    for (const { write, before } of made) {
      const { TableName, Key } = write;
      if (before === undefined) await this.#ask('DeleteItem', { TableName, Key });
      else await this.#ask('PutItem', { TableName, Item: before });
    }
  }
}

const described = z.looseObject({
  Table: z.looseObject({ KeySchema: z.array(z.looseObject({ AttributeName: z.string() })) }),
});
const written = z.looseObject({ Attributes: item.optional() });

function isConditionFailed(fault: unknown): boolean {
  return fault instanceof AwsError && fault.code.endsWith('ConditionalCheckFailedException');
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

function canceled(areRefused: readonly boolean[]): AwsError {
  const codes = areRefused.map((isRefused) => (isRefused ? 'ConditionalCheckFailed' : 'None'));
  const CancellationReasons = areRefused.map((isRefused) =>
    isRefused
      ? { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' }
      : { Code: 'None' },
  );
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`;
  return new AwsError('TransactionCanceledException', message, { fields: { CancellationReasons } });
}
