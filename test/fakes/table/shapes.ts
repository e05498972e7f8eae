/** The two tables of lib/storage.ts, for dynalite and for the tables in memory. All keys are strings. */
export interface TableShape {
  readonly name: 'config' | 'ledger';
  readonly indexes: readonly IndexShape[];
}

export interface IndexShape {
  readonly name: string;
  readonly partition: string;
  readonly sort: string;
  /** What it holds besides its own keys and the table's. */
  readonly projected: 'all' | readonly string[];
}

/** The keys of both tables. */
export const tableKeys = ['pk', 'sk'] as const;

export const configShape: TableShape = {
  name: 'config',
  indexes: [{ name: 'byList', partition: 'list', sort: 'listOrder', projected: 'all' }],
};

export const ledgerShape: TableShape = {
  name: 'ledger',
  indexes: [
    {
      name: 'byStatus',
      partition: 'statusKey',
      sort: 'eventId',
      projected: [
        'organizationId',
        'endpointId',
        'eventType',
        'status',
        'reason',
        'round',
        'attemptCount',
        'lastError',
        'nextAttemptAt',
        'updatedAt',
        'expiresAt',
      ],
    },
    {
      name: 'waiting',
      partition: 'waiting',
      sort: 'waitingAt',
      projected: [
        'organizationId',
        'endpointId',
        'eventId',
        'eventType',
        'status',
        'round',
        'attemptCount',
        'lastError',
        'expiresAt',
      ],
    },
  ],
};

export const tableShapes: readonly TableShape[] = [configShape, ledgerShape];
