import type { Span } from '../../lambdas/event/event.ts';
import type { Finding, Reconciliation } from '../../lambdas/recovery/reconcile/tally.ts';

/** See docs/operations.md; a job takes what is overdue for missing, too. */
const advice =
  'POST /v1/organizations/{organization}/endpoints/{endpoint}/recover with "include": ["missing"] has it delivered.';

/** What a reconciliation has found, for a person: the counts, then each finding in a row. */
export function reportOf({ since, until }: Span, { counts, findings }: Reconciliation): string {
  const { organizations, overdue, missing } = counts;
  const ends = ['delivered', 'dead', 'discarded', 'retrying', 'waiting', 'missing'] as const;
  const left = missing + overdue - findings.length;
  return [
    `Events from ${since} until ${until}, organizations: ${organizations}`,
    '',
    count('events', counts.events),
    count('deliveries', counts.deliveries),
    ...ends.map((end) => count(`  ${end}`, counts[end])),
    count('overdue', overdue),
    ...(findings.length === 0 ? [] : ['', ...table(findings)]),
    ...(left === 0 ? [] : [`and ${left} more`]),
    '',
    missing + overdue === 0 ? 'Nothing is missing.' : advice,
    '',
  ].join('\n');
}

function count(name: string, value: number): string {
  return `${name.padEnd(12)}${String(value).padStart(12)}`;
}

function table(findings: readonly Finding[]): string[] {
  const head = { kind: 'kind', organizationId: 'organization', endpointId: 'endpoint', eventId: 'event' };
  const rows = [head, ...findings];
  const width = Math.max(...rows.map(({ organizationId }) => organizationId.length));
  return rows.map(({ kind, organizationId, endpointId, eventId }) =>
    [kind.padEnd(7), organizationId.padEnd(width), endpointId.padEnd(29), eventId].join('  '),
  );
}
