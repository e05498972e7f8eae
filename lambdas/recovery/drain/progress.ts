import type { Backlog } from '../../endpoint/health/backlog.ts';
import type { ReadWaiting } from '../waiting/row.ts';
import { dueMark } from './next-backlog.ts';
import type { Plan } from './plan.ts';

interface Progress {
  readonly partition: string;
  readonly backlog: Backlog;
  readonly plan: Extract<Plan, { kind: 'send' }>;
  readonly nowMs: number;
}

/** What this pass has sent and is not recorded yet; and whether some of it should have been long ago. */
export async function progressOf(
  { waiting }: { readonly waiting: Pick<ReadWaiting, 'count'> },
  { partition, backlog, plan, nowMs }: Progress,
): Promise<{ after: string | undefined; onTheirWay: number; isLeft: boolean }> {
  const { through: after } = backlog;
  if (after === undefined) return { after, onTheirWay: 0, isLeft: false };
  const countThrough = (through: string, countMax: number) =>
    waiting.count({ partition, after: undefined, through }, countMax);
  const mark = dueMark(backlog, nowMs);
  const onTheirWay = await countThrough(after, plan.onTheirWayMax);
  return { after, onTheirWay, isLeft: mark !== undefined && (await countThrough(mark, 1)) > 0 };
}
