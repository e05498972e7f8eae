import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { reasonWhyNeedless } from './reasons.ts';
import { readRecords } from './records.ts';
import { record } from './record.ts';
import { tryEach } from './statements.ts';
import type { Tried } from './statements.ts';

/**
 * Takes each statement out of every policy in turn, and replays all that the tests had judged: something must come out
 * differently, or the statement is needless. Of --sample N of them a test is really run without it, and must fail.
 */
const { values } = parseArgs({
  options: { from: { type: 'string' }, sample: { type: 'string', default: '0' }, seed: { type: 'string' } },
});
const sample = z.coerce.number().int().min(0).parse(values.sample);
const print = (line: string) => process.stdout.write(`${line}\n`);

const folder = values.from ?? (await mkdtemp(join(tmpdir(), 'tidings-grants-')));
if (values.from === undefined) record(folder);
const records = readRecords(folder);
if (values.from === undefined) await rm(folder, { recursive: true });

const startedMs = performance.now();
const tried = tryEach(records);
const needless = tried.filter((one) => one.differs === undefined && reasonWhyNeedless(one) === undefined);
for (const { policy, written } of needless) print(`needless: ${JSON.stringify(written)} in ${policy}`);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
print(
  `${tried.length} statements taken out in turn, in ${seconds} s: ${needless.length} of them nothing needs`,
);

const runnable = tried.filter(({ differs }) => differs !== undefined && differs.by.length > 0);
const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000));
// Other ones every day, the same ones for the same seed.
const chosen = Array.from(
  { length: Math.min(sample, runnable.length) },
  (_, index) => runnable[(seed * 7919 + index * Math.ceil(runnable.length / sample)) % runnable.length],
).filter((one) => one !== undefined);
const survived = chosen.filter((one) => !failsWithout(one));
process.exit(needless.length + survived.length > 0 ? 1 : 0);

/** Runs the test file by which it is known to be needed, on policies without the statement. */
function failsWithout({ key, policy, differs }: Tried): boolean {
  const [file = ''] = differs?.by ?? [];
  const env = { ...process.env, TIDINGS_PERMISSIONS_WITHOUT: key };
  const beganMs = performance.now();
  const { status } = spawnSync('npx', ['vitest', 'run', file, '--bail', '1'], { stdio: 'ignore', env });
  const took = ((performance.now() - beganMs) / 1000).toFixed(0);
  const verdict = status === 0 ? 'still passes' : 'fails';
  print(`without the statement for ${differs?.action ?? ''} in ${policy}: ${file} ${verdict} (${took} s)`);
  return status !== 0;
}
