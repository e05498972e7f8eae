/**
 * deliveries = delivered + dead + discarded + retrying + waiting + missing, of events within the span;
 * `overdue` ones may belong to any event. Of events that are `unrouted` nobody knows yet for whom they are.
 */
const names = [
  'organizations',
  'events',
  // How many there should be: one for each endpoint that an event is meant for.
  'deliveries',
  'delivered',
  'dead',
  'discarded',
  'retrying',
  // Not begun, for a good reason.
  'waiting',
  'missing',
  'overdue',
  'unrouted',
] as const;

export type CountName = (typeof names)[number];

export interface Finding {
  readonly organizationId: string;
  /** Absent when nobody knows yet for whom the event is. */
  readonly endpointId?: string;
  readonly eventId: string;
  /**
   * `missing`: should have been made, and is nowhere. `overdue`: should have been tried again long ago. `unrouted`: an
   * event that the API has published long ago, and that has neither been accepted nor refused.
   */
  readonly kind: 'missing' | 'overdue' | 'unrouted';
}

/** What a comparison of events with their ends has given. */
export interface Reconciliation {
  readonly counts: Readonly<Record<CountName, number>>;
  /** The first ones. */
  readonly findings: readonly Finding[];
  /** False when time ran out: what was not looked at is in no count. */
  readonly isComplete: boolean;
}

/** More would not be read by anybody. */
export const findingsMax = 1_000;

export type Tally = ReturnType<typeof aTally>;

/** Counts what is found. */
export function aTally() {
  const counts: Record<CountName, number> = {
    ...{ organizations: 0, events: 0, deliveries: 0, delivered: 0, dead: 0, discarded: 0 },
    ...{ retrying: 0, waiting: 0, missing: 0, overdue: 0, unrouted: 0 },
  };
  const findings: Finding[] = [];
  return {
    count: (name: CountName, times = 1): void => {
      counts[name] += times;
    },
    find: (finding: Finding): void => {
      counts[finding.kind] += 1;
      if (findings.length < findingsMax) findings.push(finding);
    },
    add: (part: Reconciliation): void => {
      for (const name of names) counts[name] += part.counts[name];
      findings.push(...part.findings.slice(0, findingsMax - findings.length));
    },
    result: (isComplete: boolean): Reconciliation => ({ counts, findings, isComplete }),
  };
}

/** Whether something is not where it should be. */
export function hasGap({ counts }: Reconciliation): boolean {
  return gapsOf(counts) > 0;
}

/** How many things are not where they should be. */
export function gapsOf({ missing, overdue, unrouted }: Reconciliation['counts']): number {
  return missing + overdue + unrouted;
}
