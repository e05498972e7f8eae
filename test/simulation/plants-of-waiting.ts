import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { readMessage } from '../../lambdas/delivery/message.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import type { HealthStore } from '../../lambdas/endpoint/health/remembered.ts';
import { cached } from '../../lambdas/shared/cache.ts';
import type { Plant } from './plant.ts';

/** Faults in how deliveries wait, and are brought back. */
export const plantsOfWaiting: Readonly<Record<string, Plant>> = {
  // As if it had just died.
  'redriven-letter-falls-again': {
    record: (record) => {
      const dead = readMessage(record.body)?.dead;
      if (dead === undefined) return record;
      const attributes = { ...record.attributes, SentTimestamp: String(Date.parse(dead.at)) };
      return { ...record, attributes };
    },
  },

  'record-over-later-round': {
    request: (command) => {
      if (!(command instanceof UpdateCommand)) return;
      const { ConditionExpression } = command.input;
      command.input.ConditionExpression = ConditionExpression?.replace(
        '(#round < :round OR (#round = :round AND #status = :retrying))',
        '(attribute_exists(#round) OR #status = :retrying)',
      );
    },
  },

  'remembers-who-receives-nothing': {
    ports: (ports) => ({
      ...ports,
      readRecipient: cached(
        (organizationId = '', endpointId = '') => ports.readRecipient(organizationId, endpointId),
        () => true,
        { now: ports.now },
      ),
    }),
  },

  'health-not-forgotten-after-write': {
    ports: (ports) => ({
      ...ports,
      health: {
        ...ports.health,
        read: cached(
          (endpointId = '') => ports.health.read(endpointId),
          () => true,
          { ttlMs: 5_000, now: ports.now },
        ),
      },
    }),
  },

  'recovery-pace-anew-on-each-page': {
    recover: ({ jobs }) => ({
      jobs: {
        ...jobs,
        advance: (before, after) => {
          Reflect.deleteProperty(after, 'notBefore');
          return jobs.advance(before, after);
        },
      },
    }),
  },

  'lifted-pause-is-honoured': {
    ports: (ports) => {
      const pauses = new Map<string, NonNullable<Health['pause']>>();
      const paused = (endpointId: string, known: Health): Health => {
        if (known.pause !== undefined) pauses.set(endpointId, known.pause);
        const pause = pauses.get(endpointId);
        return pause !== undefined && Date.parse(pause.until) > ports.now() ? { ...known, pause } : known;
      };
      const { read, readLatest, replace } = ports.health;
      const health: HealthStore = {
        read: async (endpointId) => paused(endpointId, await read(endpointId)),
        readLatest: async (endpointId) => paused(endpointId, await readLatest(endpointId)),
        replace,
      };
      return { ...ports, health };
    },
  },

  'settle-time-of-zero': {
    recover: ({ health }) => ({
      health: withBacklog(health, (backlog) => (backlog.emptyAt === undefined ? backlog : undefined)),
    }),
  },

  'drain-stops-at-first-page': {
    recover: ({ health }) => ({
      health: withBacklog(health, (backlog) => (backlog.through === undefined ? backlog : undefined)),
    }),
  },

  'parked-without-key': {
    ports: (ports) => ({
      ...ports,
      rewrite: ({ waiting, waitingAt, ...after }) => ports.rewrite(after),
    }),
  },

  'versions-not-looked-at': {
    ports: (ports) => ({ ...ports, versions: { ...ports.versions, latest: () => Promise.resolve(0) } }),
  },
};

type Backlog = NonNullable<Health['backlog']>;

/** The same store, but another backlog is written. */
function withBacklog<Store extends Pick<HealthStore, 'replace'>>(
  store: Store,
  change: (backlog: Backlog) => Backlog | undefined,
): Store {
  return {
    ...store,
    replace: (endpointId: string, before: Health, after: Health) =>
      store.replace(endpointId, before, { ...after, backlog: after.backlog && change(after.backlog) }),
  };
}
