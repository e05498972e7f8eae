import type { DeliverPorts } from '../../lambdas/delivery/deliver.ts';
import { wireDeliver } from '../../lambdas/delivery/wire.ts';
import type { DrainPorts } from '../../lambdas/recovery/drain/drain.ts';
import type { RecoverPorts } from '../../lambdas/recovery/recover.ts';
import type { WakePorts } from '../../lambdas/recovery/wake/wake.ts';
import { wireWake } from '../../lambdas/recovery/wake/wire.ts';
import { wireRecover } from '../../lambdas/recovery/wire.ts';
import type { ReceivePorts } from '../../lambdas/routing/receive.ts';
import { wireRoute } from '../../lambdas/routing/wire.ts';
import type { BatchPorts } from '../../lambdas/shared/batch.ts';
import { cached } from '../../lambdas/shared/cache.ts';
import type { ReadSecret } from '../../lambdas/signing/secret.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { reachQueues, reachTables } from './reach.ts';
import { watchAnnounce, watchLog } from './watched-messages.ts';
import { watchOutcome } from './watched-outcomes.ts';
import { watchPost } from './watched-receivers.ts';
import type { World } from './world.ts';

/** What every function has; `now` is its own clock, which may be off. */
export function reachOf(world: World, life: Life) {
  return {
    client: reachTables(world, life),
    sqs: reachQueues(world, life),
    caches: { now: world.time.now },
    now: () => world.time.now() + life.skewMs,
    log: watchLog(world, life),
  };
}

/** The ports of an instance, wired as its handler wires them. */
export function deliverPorts(world: World, life: Life): DeliverPorts & BatchPorts {
  const { chance, secrets, kms, plant, plantedPast } = world;
  const { announce, post, readSecret, signDigest } = suspendable(
    {
      announce: watchAnnounce(world, life),
      post: watchPost(world, life),
      readSecret: secrets.readSecret,
      signDigest: kms.signDigest,
    },
    world,
    life,
  );
  let ids = 0;
  const wired = wireDeliver(world.env.deliver, {
    ...reachOf(world, life),
    ...{ announce, post, signDigest, random: chance.random },
    readSecret: rememberedSecrets(world, readSecret),
    newId: () => `${life.name.replace(' ', '-')}-${(ids += 1)}`,
  });
  const { release } = wired;
  const ports: DeliverPorts = { ...wired, record: watchOutcome(world, wired.record) };
  return { ...(plant?.ports?.(ports, plantedPast) ?? ports), release };
}

/** A version of a secret never changes (lambdas/signing/secrets.ts). */
function rememberedSecrets({ time }: World, readSecret: ReadSecret): ReadSecret {
  const parts = ['signing', 'headers', 'client-certificate'] as const;
  const kept = cached(
    async (...ids: string[]) => {
      const [organizationId = '', endpointId = '', wanted = '', versionId = ''] = ids;
      const part = parts.find((one) => one === wanted) ?? 'signing';
      return { value: await readSecret({ organizationId, endpointId, part }, versionId) };
    },
    () => true,
    { ttlMs: 0, now: time.now },
  );
  return async ({ organizationId, endpointId, part }, versionId) =>
    (await kept(organizationId, endpointId, part, versionId)).value;
}

export function routePorts(world: World, life: Life): ReceivePorts & BatchPorts {
  const { announce } = suspendable({ announce: watchAnnounce(world, life) }, world, life);
  return wireRoute(world.env.route, { ...reachOf(world, life), announce });
}

export function recoverPorts(world: World, life: Life): RecoverPorts & DrainPorts & BatchPorts {
  const { announce } = suspendable({ announce: watchAnnounce(world, life) }, world, life);
  const wired = wireRecover(world.env.recover, {
    ...reachOf(world, life),
    announce,
    pageItems: world.paging.items,
  });
  return { ...wired, ...world.plant?.recover?.(wired) };
}

export function wakePorts(world: World, life: Life): Omit<WakePorts, 'remainingMs'> {
  return wireWake(world.env.wake, reachOf(world, life));
}
