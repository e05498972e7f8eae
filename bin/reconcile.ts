import { resolve } from 'node:path';
import { makeOrganizationStore } from '../lambdas/organization/store.ts';
import { reconcile } from '../lambdas/recovery/reconcile/reconcile.ts';
import { makeReconcileReads } from '../lambdas/recovery/reconcile/store.ts';
import { hasGap } from '../lambdas/recovery/reconcile/tally.ts';
import { parseFlags, usage, WrongFlags } from './reconcile/flags.ts';
import type { Flags } from './reconcile/flags.ts';
import { findPlace } from './reconcile/place.ts';
import type { Place } from './reconcile/place.ts';
import { reportOf } from './reconcile/report.ts';

try {
  const flags = parseFlags(process.argv.slice(2), Date.now());
  const place = await findPlace(flags.tables, resolve('.tidings', 'local.json'));
  process.exitCode = await run(place, flags);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  if (error instanceof WrongFlags) process.stderr.write(`\n${usage}\n`);
  process.exitCode = 2;
}

/** Compares, prints what was found, and gives the exit code. */
async function run({ client, tables }: Place, { span, organizationId }: Flags): Promise<0 | 1> {
  if (organizationId !== undefined) {
    // Nothing is missing of an organization that does not exist: a slip of the hand must not look like good news.
    const found = await makeOrganizationStore(client, tables.config).get(organizationId);
    if (found === undefined) throw new WrongFlags(`--organization: there is no ${organizationId}`);
  }
  const ports = {
    ...makeReconcileReads(client, tables, Date.now),
    tell: () => Promise.resolve(),
    clock: { now: Date.now, hasTime: () => true },
  };
  const outcome = await reconcile(ports, { ...span, organizationId });
  process.stdout.write(reportOf(span, outcome));
  return hasGap(outcome) ? 1 : 0;
}

/** What went wrong, for the person who typed the command; AWS's own errors say it in their name. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof WrongFlags) return error.message;
  return `Nothing could be compared. ${error.name}: ${error.message}`;
}
