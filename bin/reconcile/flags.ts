import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Span } from '../../lambdas/event/event.ts';
import { organizationId } from '../../lambdas/shared/identifier.ts';
import { isoTime } from '../../lambdas/shared/time.ts';

/** What `npm run reconcile` was asked for. */
export interface Flags {
  readonly span: Span;
  readonly organizationId?: string;
  /** Tables in an account; without them, those of the local runtime. */
  readonly tables?: { readonly config: string; readonly ledger: string };
}

export const usage = `Usage: npm run reconcile -- [--since TIME] [--until TIME] [--organization ID] [--config TABLE --ledger TABLE]

  --since TIME       events that happened from then on, such as 2026-11-23 or 2026-11-23T10:00:00Z; a day before --until
  --until TIME       events that happened until then; 15 minutes ago by default, since younger ones may be on their way
  --organization ID  only this organization; all of them by default
  --config TABLE     the stack's output ConfigTable, read with your AWS credentials and region
  --ledger TABLE     the stack's output LedgerTable; without both, the stack that npm start runs in this folder

Ends with 0 when nothing is missing, 1 when something is missing, overdue or unrouted, 2 when it could not be looked at.`;

/** What was asked for cannot be done; its message is for the person who typed it. */
export class WrongFlags extends Error {}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * @throws WrongFlags naming the flag that is wrong.
 */
export function parseFlags(args: readonly string[], nowMs: number): Flags {
  const { since, until, organization, config, ledger } = parse(args);
  const untilMs = until === undefined ? nowMs - 15 * minuteMs : parseTime('--until', until);
  const sinceMs = since === undefined ? untilMs - dayMs : parseTime('--since', since);
  if (sinceMs >= untilMs) {
    throw new WrongFlags(`--since ${isoTime(sinceMs)} must be before --until ${isoTime(untilMs)}`);
  }
  return {
    span: { since: isoTime(sinceMs), until: isoTime(untilMs) },
    ...(organization === undefined ? {} : { organizationId: parseOrganization(organization) }),
    ...tablesOf(config, ledger),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        since: { type: 'string' },
        until: { type: 'string' },
        organization: { type: 'string' },
        config: { type: 'string' },
        ledger: { type: 'string' },
      },
    }).values;
  } catch (cause) {
    throw new WrongFlags(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** With an offset, or else it would be another moment on another machine. */
const time = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

function parseTime(flag: string, text: string): number {
  const parsed = time.safeParse(text);
  if (parsed.success) return Date.parse(parsed.data);
  throw new WrongFlags(`${flag} must be a time such as 2026-11-23T10:00:00Z, not "${text}"`);
}

function parseOrganization(text: string): string {
  const parsed = organizationId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new WrongFlags(`--organization must be an organization's id, not "${text}"`);
}

function tablesOf(config: string | undefined, ledger: string | undefined): Pick<Flags, 'tables'> {
  if (config === undefined && ledger === undefined) return {};
  if (!config || !ledger) throw new WrongFlags('--config and --ledger each name a table, and go together');
  return { tables: { config, ledger } };
}
