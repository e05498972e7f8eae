import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { z } from 'zod';
import { callApi } from '../local/api-client.ts';
import { registerEndpoint } from '../local/demo/endpoints.ts';
import { startDemoReceiver } from '../local/demo/receiver.ts';
import type { DemoReceiver, Received } from '../local/demo/receiver.ts';
import { start } from './child.ts';
import type { Ready } from './child.ts';
import { openLedger } from './recover-ledger.ts';

/**
 * A ledger with many delivered events and some whose delivery is missing, written directly; a recovery of the missing
 * ones; and a SIGKILL in the middle of it. Exactly the missing ones must arrive at a real HTTPS receiver.
 */
const { values } = parseArgs({
  options: { events: { type: 'string', default: '100000' }, missing: { type: 'string', default: '1000' } },
});
const eventCount = z.coerce.number().int().min(100).max(1_000_000).parse(values.events);
const missingCount = z.coerce.number().int().min(1).max(eventCount).parse(values.missing);
const organizationId = 'org_bench';
const organization = `/v1/organizations/${organizationId}`;
/** What moves, moves within seconds: the local runtime shows again at once what was in flight when it was killed. */
const standstillMs = 60_000;

const shownJob = z.object({
  id: z.string(),
  status: z.string(),
  counts: z.object({ examined: z.number(), missing: z.number(), sent: z.number() }),
});
type ShownJob = z.output<typeof shownJob>;

async function main(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
  const received: Received[] = [];
  const receiver = await startDemoReceiver((one) => received.push(one));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, receiver.authority);
  const flags = ['--ca', caFile, '--data', join(folder, 'data')];
  let { child, ready } = await start(flags);
  try {
    const endpointId = await setUp(ready, receiver);
    const missing = await writeHistory(ready, endpointId);
    const { id } = await beginJob(ready, endpointId);
    const begunMs = Date.now();
    const before = await watch(ready, id, ({ counts }) => counts.examined > eventCount * 0.3);
    if (before.status !== 'running') throw new Error('The job ended before the kill: take more events');
    child.kill('SIGKILL');
    const killedMs = Date.now();
    await once(child, 'exit');
    say(`killed after ${before.counts.examined} events, ${received.length} delivered; starting again`);
    ({ child, ready } = await start(flags));
    await watch(ready, id, ({ counts }) => counts.examined > before.counts.examined);
    const resumedMs = Date.now();
    const job = await watch(ready, id, ({ status }) => status === 'finished');
    const workedMs = killedMs - begunMs + (Date.now() - resumedMs);
    await untilSo(
      'what was sent has arrived',
      () => idsOf(received).size,
      (arrived) => arrived >= job.counts.sent,
    );
    await sayReads(ready, endpointId);
    say(`${(resumedMs - killedMs) / 1000} s from the kill until the job went on`);
    return reportOn({ job, received, missing, workedMs });
  } finally {
    child.kill('SIGTERM');
    await receiver.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const callerOf = ({ api, operatorToken }: Ready) => ({ api, token: operatorToken });

async function setUp(ready: Ready, receiver: DemoReceiver): Promise<string> {
  const body = { plan: 'enterprise' };
  await callApi(callerOf(ready), { method: 'PUT', path: organization, body }, z.unknown());
  const wanted = { url: `${receiver.url}/bench`, description: 'bench', eventTypes: ['*'] };
  const { id, secret } = await registerEndpoint(callerOf(ready), organizationId, wanted);
  receiver.trust('/bench', secret);
  return id;
}

async function writeHistory(ready: Ready, endpointId: string): Promise<readonly string[]> {
  const ledger = await openLedger(ready.aws);
  const startedMs = Date.now();
  // Spread evenly, so that every part of the job finds some.
  const isMissing = (number: number) =>
    Math.floor(((number + 1) * missingCount) / eventCount) > Math.floor((number * missingCount) / eventCount);
  const missing = await ledger.write({ organizationId, endpointId, count: eventCount, isMissing });
  ledger.close();
  say(
    `${eventCount} events written in ${seconds(Date.now() - startedMs)} s, ${missing.length} not delivered`,
  );
  return missing;
}

function beginJob(ready: Ready, endpointId: string): Promise<ShownJob> {
  const since = new Date(Date.now() - 86_400_000).toISOString();
  const path = `${organization}/endpoints/${endpointId}/recover`;
  return callApi(callerOf(ready), { method: 'POST', path, body: { since, include: ['missing'] } }, shownJob);
}

async function watch(ready: Ready, id: string, isSo: (job: ShownJob) => boolean): Promise<ShownJob> {
  const path = `${organization}/jobs/${id}`;
  const see = () => callApi(callerOf(ready), { method: 'GET', path }, shownJob);
  return untilSo('the job has got so far', see, isSo);
}

/**
 * Looks until it is so.
 *
 * @throws Error when nothing that is seen has changed for `standstillMs`, however large the ledger is
 */
async function untilSo<Seen>(
  what: string,
  see: () => Seen | Promise<Seen>,
  isSo: (seen: Seen) => boolean,
): Promise<Seen> {
  let seen = await see();
  let changedMs = Date.now();
  while (!isSo(seen)) {
    if (Date.now() - changedMs > standstillMs) {
      throw new Error(`Not so, and nothing moves: ${what}; last seen: ${JSON.stringify(seen)}`);
    }
    await pause(100);
    const next = await see();
    if (!isDeepStrictEqual(next, seen)) changedMs = Date.now();
    seen = next;
  }
  return seen;
}

async function sayReads(ready: Ready, endpointId: string): Promise<void> {
  const ledger = await openLedger(ready.aws);
  const events = await ledger.readUnits(`ORG#${organizationId}`, false);
  const deliveries = await ledger.readUnits(`ENDPOINT#${endpointId}`, true);
  ledger.close();
  const units = events.units + deliveries.units;
  say(
    `reads: ${events.queries + deliveries.queries} queries, ${units.toFixed(0)} read units, ${(units / eventCount).toFixed(2)} an event`,
  );
}

interface Result {
  readonly job: ShownJob;
  readonly received: readonly Received[];
  readonly missing: readonly string[];
  readonly workedMs: number;
}

function reportOn({ job, received, missing, workedMs }: Result): boolean {
  const wanted = new Set(missing);
  const arrived = idsOf(received);
  const strangers = [...arrived].filter((id) => !wanted.has(id)).length;
  const isVerified = received.every((one) => one.isVerified);
  say(
    `job: ${JSON.stringify(job.counts)} in ${seconds(workedMs)} s of work, ${(eventCount / (workedMs / 1000)).toFixed(0)} events/s`,
  );
  say(
    `deliveries: ${arrived.size - strangers} of ${missing.length} arrived, ${strangers} that had arrived before,`,
  );
  say(
    `${received.length - arrived.size} duplicates, every signature ${isVerified ? 'verified' : 'NOT verified'}`,
  );
  const isCounted = job.counts.missing === missing.length && job.counts.sent === missing.length;
  if (!isCounted) say('the counts are NOT right');
  return arrived.size === missing.length && strangers === 0 && isVerified && isCounted;
}

function idsOf(received: readonly Received[]): Set<string> {
  return new Set(received.map(({ webhookId }) => webhookId));
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exit((await main()) ? 0 : 1);
