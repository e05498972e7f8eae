import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { deliveryKey } from '../../../lambdas/delivery/key.ts';
import { reconcile } from '../../../lambdas/recovery/reconcile/reconcile.ts';
import { makeReconcileReads } from '../../../lambdas/recovery/reconcile/store.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import type { Dossier } from '../book.ts';
import type { World } from '../world.ts';

/** Longer than any attempt may be ahead, or late. */
const laterMs = 3 * 86_400_000;

/** The reconciliation finds what waits for a redrive that nobody has made, what is removed by hand, and nothing else. */
export async function lookForGaps(world: World): Promise<void> {
  const { book, tables } = world;
  const expected = new Set<string>();
  let removed: Dossier | undefined;
  for (const dossier of book.dossiers.values()) {
    const { key, delivery } = dossier;
    const isThere = isKept(world, delivery);
    if (isThere ? delivery?.status === 'retrying' : isDue(world, dossier)) expected.add(key);
    else if (isThere && isDue(world, dossier)) removed ??= dossier;
  }
  if (removed !== undefined) {
    const Key = deliveryKey(removed.endpointId, removed.eventId);
    await tables.client.send(new DeleteCommand({ TableName: tables.ledger, Key }));
    expected.add(removed.key);
  }
  const found = await gapsOf(world);
  const unseen = [...expected].find((key) => !found.has(key));
  if (unseen !== undefined) world.violate('I1', `the reconciliation does not find ${unseen}`);
  const wrong = [...found].find((key) => !expected.has(key));
  if (wrong !== undefined) world.violate('I1', `the reconciliation finds ${wrong}, which is as it should be`);
}

function isKept({ time }: World, one: { readonly expiresAt: number } | undefined): boolean {
  return one !== undefined && one.expiresAt * 1000 > time.now() + laterMs;
}

/** Whether there must be a delivery. */
function isDue(world: World, { endpointId, eventId }: Dossier): boolean {
  const event = world.book.events.get(eventId);
  return isKept(world, event) && event?.endpoints.includes(endpointId) === true;
}

async function gapsOf({ tables, time }: World): Promise<ReadonlySet<string>> {
  const now = () => time.now() + laterMs;
  const { findings } = await reconcile(
    {
      ...makeReconcileReads(tables.client, tables, now),
      tell: () => Promise.resolve(),
      clock: { now, hasTime: () => true },
    },
    { since: isoTime(0), until: isoTime(now()) },
  );
  return new Set(findings.map(({ endpointId, eventId }) => `${endpointId} ${eventId}`));
}
