import { nextMessage } from '../../delivery/follow.ts';
import { delayUntil, waitingUntil } from '../../delivery/message.ts';
import type { DeliveryMessage } from '../../delivery/message.ts';
import type { StartDrain } from '../../endpoint/health/say.ts';
import { nameOfFault } from '../../shared/log.ts';
import type { Log } from '../../shared/log.ts';
import { isoTime } from '../../shared/time.ts';
import type { Now } from '../../shared/time.ts';
import { duePartitions, timeOfPlace } from '../../shared/waiting.ts';
import type { ReadWaiting, Row } from '../waiting/row.ts';
import type { Rounds } from './rounds.ts';

export interface WakePorts {
  readonly rounds: {
    readonly read: () => Promise<Rounds>;
    /** Writes over the version that was read; false when somebody has been faster. */
    readonly replace: (before: Rounds, after: Rounds) => Promise<boolean>;
  };
  readonly waiting: Pick<ReadWaiting, 'list'>;
  /** To the lane of later attempts. */
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  /** Has the rows of an endpoint looked after because their time has come. */
  readonly startDrain: (owner: Parameters<StartDrain>[0], delaySeconds: number) => Promise<void>;
  readonly remainingMs: () => number;
  readonly now: Now;
  readonly log: Log;
}

/** Whoever comes every minute looks so far ahead, and has SQS keep the second. */
const aheadMs = 60_000;

/** What is still there so long after it was sent on has lost its message; it is sent once more. */
const secondLookMs = 3_600_000;

/**
 * So often the second look begins anew at the oldest row: what has lost that message, too, is still there, and nobody
 * else comes for it. Seldom, since a lane that is late for hours has all of it sent once more each time.
 */
const lookAnewMs = 6 * 3_600_000;

/** Longer than a run reads: a second one at the same time would send everything twice. Over when the next one is due. */
const leaseMs = 55_000;

/** Rows at a time: what is sent of them takes a second. */
const pageRows = 500;

/** Enough to send what has been read, and to write how far it has come. */
const endMs = 15_000;

/**
 * Sends on what has waited until a time that comes within the next minute: deliveries to the lane of later attempts,
 * endpoints to their drain. How far it has come is written after the sending, so whoever dies is followed by the next
 * run, which sends some of it twice; the ledger lets one of them pass.
 */
export async function wake(ports: WakePorts): Promise<void> {
  const nowMs = ports.now();
  const found = await ports.rounds.read();
  if (found.leaseUntil !== undefined && Date.parse(found.leaseUntil) > nowMs) return;
  const leased = { ...found, version: found.version + 1, leaseUntil: isoTime(nowMs + leaseMs) };
  if (!(await ports.rounds.replace(found, leased))) return;
  const tally = { sent: 0, drains: 0, lateMs: 0 };
  // All of it is late, and says nothing of whether this lane is.
  const again = { sent: 0, drains: 0, lateMs: 0 };
  const through: Record<string, string> = { ...leased.through };
  const { secondSince = isoTime(0) } = leased;
  const isAnew = nowMs - Date.parse(secondSince) >= lookAnewMs;
  const secondThrough: Record<string, string> = isAnew ? {} : { ...leased.secondThrough };
  await Promise.all(
    duePartitions.map(async (partition) => {
      through[partition] = await sendOn(ports, tally, {
        ...{ partition, after: through[partition], until: isoTime(nowMs + aheadMs) },
      });
      secondThrough[partition] = await sendOn(ports, again, {
        ...{ partition, after: secondThrough[partition], until: isoTime(nowMs - secondLookMs) },
      });
    }),
  );
  const { leaseUntil, ...rest } = leased;
  await ports.rounds.replace(leased, {
    ...{ ...rest, version: leased.version + 1, through, secondThrough },
    secondSince: isAnew ? isoTime(nowMs) : secondSince,
  });
  ports.log('wake.done', { ...tally, sentAgain: again.sent, drainsAgain: again.drains });
}

interface Stretch {
  readonly partition: string;
  readonly after: string | undefined;
  readonly until: string;
}

interface Tally {
  sent: number;
  drains: number;
  /** By how much the latest of it was late when it was found. */
  lateMs: number;
}

/** Sends on a stretch of a partition, as far as time allows; gives the place up to which it has come. */
async function sendOn(ports: WakePorts, tally: Tally, { partition, after, until }: Stretch): Promise<string> {
  let reached = after;
  try {
    while (ports.remainingMs() > endMs) {
      const page = await ports.waiting.list({ partition, after: reached, through: until }, pageRows);
      await Promise.all(page.rows.map((row) => sendRow(ports, tally, row)));
      if (page.isLast) return until;
      reached = page.through ?? reached;
    }
  } catch (fault) {
    // The other partitions go on; this one is looked at again from here in the next run.
    ports.log('wake.failed', { partition, fault: nameOfFault(fault) });
  }
  return reached ?? ' ';
}

async function sendRow(ports: WakePorts, tally: Tally, row: Row): Promise<void> {
  const nowMs = ports.now();
  const dueMs = timeOfPlace(row);
  tally.lateMs = Math.max(tally.lateMs, nowMs - dueMs);
  if (row.eventId === undefined) {
    tally.drains += 1;
    const owner = { id: row.endpointId, organizationId: row.organizationId };
    await ports.startDrain(owner, delayUntil(dueMs, nowMs));
    return;
  }
  tally.sent += 1;
  await ports.send(waitingUntil(nextMessage(row), dueMs), delayUntil(dueMs, nowMs));
}
