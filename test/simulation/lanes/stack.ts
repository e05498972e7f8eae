import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { makeEndpointStore } from '../../../lambdas/endpoint/store.ts';
import { makeEventStore } from '../../../lambdas/event/store.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import { makeOrganizationStore } from '../../../lambdas/organization/store.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { seededChance } from '../../fakes/chance.ts';
import { memorySecrets } from '../../fakes/secrets.ts';
import { memoryTables } from '../../fakes/table/memory-tables.ts';
import type { MemoryTables } from '../../fakes/table/memory-tables.ts';
import { makeDeliver } from './deliver.ts';
import { SimulatedFunction } from './function.ts';
import { Lane } from './lane.ts';
import { Meter } from './meter.ts';
import { makeRecover } from './recover.ts';
import type { Receiver } from './receiver.ts';
import { sqsTo } from './sqs.ts';
import type { Lanes } from './surroundings.ts';
import { VirtualTime } from './virtual-time.ts';
import { startWaking } from './waking.ts';

export interface StackWish {
  readonly endpoints: readonly Endpoint[];
  readonly receive: Receiver;
  /** Told of each line of the functions. */
  readonly onLog?: (message: string, fields: object) => void;
  /** Until a new instance can work; nothing, if left out. */
  readonly coldMs?: number;
}

export type Stack = Awaited<ReturnType<typeof makeStack>>;

/** A call of AWS takes 30 ms: more than DynamoDB mostly needs, less than a slow one of SQS. */
const callMs = { least: 20, most: 40 };

/** As lib/ has them: batches of a lane that are worked on at a time. */
const batches = { lane: 100, falling: 2, recovery: 10 };

/**
 * The delivery engine in virtual time: the real use cases and stores, tables in memory, lanes that count, and as many
 * instances of functions as an account has. Nothing fails here but receivers; what it is for is speed and cost.
 */
export async function makeStack({ endpoints, receive, onLog = () => undefined, coldMs = 0 }: StackWish) {
  const time = new VirtualTime();
  const chance = seededChance(7);
  const meter = new Meter();
  const travel = () => time.sleep(callMs.least + chance() * (callMs.most - callMs.least));
  const tables = memoryTables({ now: time.now });
  const lane = (name: string) => new Lane(name, { time, meter });
  const lanes: Lanes = {
    ...{ deliveries: lane('deliveries'), retries: lane('retries') },
    ...{ falling: lane('falling'), recovery: lane('recovery') },
  };
  const secrets = memorySecrets();
  let ids = 0;
  const newId = () => `id-${(ids += 1)}`;
  const around = { time, chance, newId, meter, tables, travel, lanes, secrets, receive, onLog };
  const sqs = (actor: 'deliver' | 'recover' | 'wake') => sqsTo(Object.values(lanes), { actor, travel });
  const deliver = new SimulatedFunction(around, {
    ...{ actor: 'deliver', timeoutMs: 60_000, coldMs },
    make: () => makeDeliver(around, sqs('deliver')),
  });
  deliver.serve(lanes.deliveries, { runningMax: batches.lane, batchMax: 10 });
  deliver.serve(lanes.retries, { runningMax: batches.lane, batchMax: 10 });
  const recover = new SimulatedFunction(around, {
    ...{ actor: 'recover', timeoutMs: 60_000, coldMs },
    make: () => makeRecover(around, sqs('recover')),
  });
  recover.serve(lanes.recovery, { runningMax: batches.recovery, batchMax: 1 });
  await keep(tables, endpoints);
  for (const endpoint of endpoints) secrets.keepFor(endpoint);
  return {
    ...{ ...around, deliver, recover },
    /** Has somebody come every minute. */
    wakeEveryMinute: () => startWaking(around, sqs('wake')),
    addEvent: (event: StoredEvent) => addEvent(tables, event),
  };
}

function addEvent({ client, ledger }: MemoryTables, event: StoredEvent) {
  return makeEventStore(client, ledger, () => 0).add(event);
}

async function keep({ client, config }: MemoryTables, endpoints: readonly Endpoint[]): Promise<void> {
  await makeOrganizationStore(client, config).replace(undefined, anOrganization());
  for (const endpoint of endpoints) await makeEndpointStore(client, config).add(endpoint);
}
