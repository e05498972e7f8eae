import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { makeDeliveryReader } from '../../lambdas/delivery/store.ts';
import { makeEndpointStore, makeReadSubscribers } from '../../lambdas/endpoint/store.ts';
import { makeEventStore } from '../../lambdas/event/store.ts';
import { cursorAt } from '../../lambdas/shared/page.ts';
import type { Page, PageQuery } from '../../lambdas/shared/page.ts';
import { startTables } from '../contracts/tables.ts';
import { testStartMs } from '../fakes/clock.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { endpointId, fill, idOf, organizationId, rare } from './ledger.ts';

/**
 * 1,000 endpoints in one organization and many deliveries in the ledger: what a page of each list reads, the first one
 * and one near the end. Ends with 1 when a page reads more than its limit, when a late one costs more than the first,
 * or when anything scans.
 */
const { values } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '1000' },
    deliveries: { type: 'string', default: '200000' },
  },
});
const endpointCount = z.coerce.number().int().min(100).max(1_000).parse(values.endpoints);
const deliveryCount = z.coerce.number().int().min(12_000).max(1_000_000).parse(values.deliveries);

const size = { endpointCount, deliveryCount };
const limit = 50;

/** What was asked of DynamoDB. */
class Meter {
  public readonly commands = new Map<string, number>();
  public read = 0;

  public constructor(client: DynamoDBDocumentClient) {
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (given) => {
          const answer = await next(given);
          this.commands.set(commandName, (this.commands.get(commandName) ?? 0) + 1);
          this.read += readBy.parse(answer.output);
          return answer;
        },
      { step: 'initialize', name: 'meter', priority: 'low' },
    );
  }

  public reset(): void {
    this.commands.clear();
    this.read = 0;
  }
}

/** Items that a call has read, shown or not. */
const readBy = z
  .looseObject({
    ScannedCount: z.number().optional(),
    Item: z.unknown().optional(),
    Responses: z.record(z.string(), z.array(z.unknown())).optional(),
  })
  .transform(({ ScannedCount, Item, Responses }) => {
    const batched = Object.values(Responses ?? {}).reduce((sum, { length }) => sum + length, 0);
    return (ScannedCount ?? 0) + (Item === undefined ? 0 : 1) + batched;
  });

interface List {
  readonly name: string;
  readonly list: (query: PageQuery) => Promise<Page<unknown>>;
  /** Where a page near the end of the list begins. */
  readonly late: readonly string[];
  /** Items that an item of the page costs: where an index leads to it, it is read twice; of a list that is spread, nine. */
  readonly reads: 1 | 2 | 9;
}

function listsOf(client: DynamoDBDocumentClient): List[] {
  return [...endpointLists(client), ...eventLists(client), ...deliveryLists(client)];
}

const now = () => testStartMs;
/** Of the oldest events but a hundred; lists begin with the newest. */
const lateEvent = idOf(rare, size);
const nobody = endpointIdOf('nobody');

function endpointLists(client: DynamoDBDocumentClient): List[] {
  const endpoints = makeEndpointStore(client, 'config');
  const numbers = Array.from({ length: endpointCount }, (_, number) => `endpoint-${String(number)}`);
  const late = [
    numbers
      .map(endpointIdOf)
      .toSorted()
      .at(-limit - 1) ?? '',
  ];
  const wanting = { name: 'governance.contract.violated', category: 'governance' as const };
  const listed = (query: object) => (page: PageQuery) =>
    endpoints.list(organizationId, { ...page, ...query });
  return [
    { name: 'endpoints', list: listed({}), late, reads: 1 },
    { name: 'endpoints that want a type (none does)', list: listed({ wanting }), late, reads: 1 },
  ];
}

function eventLists(client: DynamoDBDocumentClient): List[] {
  const { list } = makeEventStore(client, 'ledger', now);
  const listed = (query: object) => (page: PageQuery) => list(organizationId, { ...page, ...query });
  const late = [lateEvent];
  return [
    { name: 'events', list: listed({}), late, reads: 1 },
    { name: 'events of a type', list: listed({ type: 'pipeline.run.failed' }), late, reads: 1 },
    { name: 'events for an endpoint (none)', list: listed({ endpointId: nobody }), late, reads: 1 },
    {
      name: 'events refused (rare)',
      list: listed({ status: 'refused' }),
      late: [idOf(60 * rare, size)],
      reads: 2,
    },
  ];
}

function deliveryLists(client: DynamoDBDocumentClient): List[] {
  const { ofEndpoint, withStatus } = makeDeliveryReader(client, 'ledger', now);
  const own = (query: object) => (page: PageQuery) => ofEndpoint(endpointId, { ...page, ...query });
  const dead = (query: object) => (page: PageQuery) =>
    withStatus(organizationId, 'dead', { ...page, ...query });
  const late = [idOf(60 * rare, size), endpointId];
  return [
    { name: 'deliveries of an endpoint', list: own({}), late: [lateEvent], reads: 1 },
    { name: 'its dead ones (rare)', list: own({ status: 'dead' }), late: [lateEvent], reads: 1 },
    // A page of each partition over which the list is spread, merged.
    { name: 'dead letters', list: dead({}), late, reads: 9 },
    { name: 'dead letters of an endpoint (none)', list: dead({ endpointId: nobody }), late, reads: 9 },
  ];
}

/** Whether a list keeps its promises, which are printed. */
async function measure(meter: Meter, { name, list, late, reads }: List): Promise<boolean> {
  const costs: string[] = [];
  let isKept = true;
  for (const cursor of [undefined, cursorAt(late)]) {
    meter.reset();
    const { data } = await list({ limit, cursor });
    const calls = [...meter.commands].map(([command, count]) => `${String(count)} ${command}`).join(', ');
    const cost = `${String(meter.read)} items by ${calls}`;
    costs.push(`${String(data.length)} shown, ${cost}`);
    isKept &&=
      meter.read <= reads * limit && [...meter.commands.keys()].every(isNoScan) && data.length <= limit;
  }
  const [first, last] = costs.map((cost) => /by .*/.exec(cost)?.[0]);
  isKept &&= first === last;
  console.log(
    `${isKept ? 'ok ' : 'BAD'} ${name.padEnd(40)} first: ${costs[0] ?? ''}; late: ${costs[1] ?? ''}`,
  );
  return isKept;
}

function isNoScan(command: string): boolean {
  return ['QueryCommand', 'GetItemCommand', 'BatchGetItemCommand', 'GetCommand', 'BatchGetCommand'].includes(
    command,
  );
}

const tables = await startTables();
const startedMs = performance.now();
await fill(tables.client, size);
const seconds = Math.round((performance.now() - startedMs) / 1_000);
console.log(
  `${String(endpointCount)} endpoints, ${String(deliveryCount)} events and deliveries, written in ${String(seconds)} s; pages of ${String(limit)}`,
);
const meter = new Meter(tables.client);
let isGood = true;
for (const list of listsOf(tables.client)) isGood = (await measure(meter, list)) && isGood;
meter.reset();
const { endpoints } = await makeReadSubscribers(tables.client, 'config')(organizationId);
const queries = meter.commands.get('QueryCommand') ?? 0;
// A page of a Query holds 1 MB, and an endpoint of ours is far below 4 KB: once in 30 s for each function, by the cache.
const isFanOutGood =
  endpoints.length === endpointCount && queries <= 4 && [...meter.commands.keys()].every(isNoScan);
console.log(
  `${isFanOutGood ? 'ok ' : 'BAD'} fan-out to ${String(endpoints.length)} endpoints: ${String(queries)} Query, ${String(meter.read)} items`,
);
await tables.close();
process.exitCode = isGood && isFanOutGood ? 0 : 1;
