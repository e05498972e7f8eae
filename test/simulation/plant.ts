import type { SQSRecord } from 'aws-lambda';
import type { DeliverPorts } from '../../lambdas/delivery/deliver.ts';
import type { DrainPorts } from '../../lambdas/recovery/drain/drain.ts';
import type { RecoverPorts } from '../../lambdas/recovery/recover.ts';
import type { Prepared } from '../../lambdas/request/prepare.ts';

/** A fault put into the engine on purpose: a simulator that does not find it proves nothing. */
export interface Plant {
  /** Around the ports of an instance of deliver. */
  readonly ports?: (ports: DeliverPorts, past: Past) => DeliverPorts;
  /** In place of some ports of an instance of recover. */
  readonly recover?: (ports: RecoverPorts & DrainPorts) => Partial<RecoverPorts & DrainPorts>;
  /** Around a request of DynamoDB; `by` is the name of whoever makes it, such as `deliver 2`. */
  readonly request?: (command: unknown, by: string) => void;
  /** Around a message that deliver is handed. */
  readonly record?: (record: SQSRecord) => SQSRecord;
  /** Whether Lambda deletes messages before the function has worked on them. */
  readonly acknowledgesFirst?: boolean;
}

/** What a planted fault remembers over all instances of a run. */
export type Past = Map<string, Prepared>;

export const oldPlants: Readonly<Record<string, Plant>> = {
  'acknowledge-before-write': { acknowledgesFirst: true },

  'sign-at-enqueue': {
    ports: (ports, past) => ({
      ...ports,
      prepare: async (endpoint, unsigned) => {
        const key = `${endpoint.id} ${unsigned.webhookId}`;
        const prepared = past.get(key) ?? (await ports.prepare(endpoint, unsigned));
        past.set(key, prepared);
        return prepared;
      },
    }),
  },

  'no-jitter': { ports: (ports) => ({ ...ports, random: () => 0.5 }) },

  'skip-ledger-read': {
    ports: (ports) => ({
      ...ports,
      readKnown: async (message) => ({ ...(await ports.readKnown(message)), delivery: undefined }),
    }),
  },

  'own-fault-as-attempt': {
    ports: (ports) => ({
      ...ports,
      prepare: async (endpoint, unsigned) => {
        try {
          return await ports.prepare(endpoint, unsigned);
        } catch {
          return { headers: { planted: 'fault' } };
        }
      },
      post: (request) => {
        if (request.headers['planted'] === undefined) return ports.post(request);
        const answer = { kind: 'failure', code: 'connection_refused' } as const;
        return Promise.resolve({ answer, durationMs: 1, phases: [] });
      },
    }),
  },

  'drop-probe-lease': {
    ports: (ports) => ({
      ...ports,
      health: {
        ...ports.health,
        replace: async (endpointId, before, after) => {
          const isReplaced = await ports.health.replace(endpointId, before, after);
          const isLease = before.pause !== undefined && before.pause.since === after.pause?.since;
          return isReplaced || isLease;
        },
      },
    }),
  },
};
