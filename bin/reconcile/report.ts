import type { Span } from '../../lambdas/event/event.ts';
import { gapsOf } from '../../lambdas/recovery/reconcile/tally.ts';
import type { Finding, Reconciliation } from '../../lambdas/recovery/reconcile/tally.ts';

/** See docs/operations.md; a job takes what is overdue for missing, too. */
const recoverAdvice =
  'POST /v1/organizations/{organization}/endpoints/{endpoint}/recover with "include": ["missing"] has it delivered.';
const unroutedAdvice =
  'What is unrouted lies in a queue (docs/operations.md), or its publisher got no answer and publishes it again.';

/** What a reconciliation has found, for a person: the counts, then each finding in a row. */
export function reportOf({ since, until }: Span, { counts, findings }: Reconciliation): string {
  const { organizations, overdue, missing, unrouted } = counts;
  const ends = ['delivered', 'dead', 'discarded', 'retrying', 'waiting', 'missing'] as const;
  const left = gapsOf(counts) - findings.length;
  return [
    `Events from ${since} until ${until}, organizations: ${organizations}`,
    '',
    count('events', counts.events),
    count('deliveries', counts.deliveries),
    ...ends.map((end) => count(`  ${end}`, counts[end])),
    count('overdue', overdue),
    count('unrouted', unrouted),
    ...(findings.length === 0 ? [] : ['', ...table(findings)]),
    ...(left === 0 ? [] : [`and ${left} more`]),
    '',
    ...(gapsOf(counts) === 0 ? ['Nothing is missing.'] : []),
    ...(missing + overdue === 0 ? [] : [recoverAdvice]),
    ...(unrouted === 0 ? [] : [unroutedAdvice]),
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
    [kind.padEnd(8), organizationId.padEnd(width), (endpointId ?? '').padEnd(29), eventId].join('  '),
  );
}
