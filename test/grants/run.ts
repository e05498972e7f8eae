import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { expectedRefusal, reasonFor, reasons } from './reasons.ts';
import { grantsOf } from './grants.ts';
import { readRecords } from './records.ts';
import { record } from './record.ts';

/**
 * Every grant of every policy must have been used by a test, or have a written reason; nothing may have been refused but
 * where a test looked for it. Without --from the end-to-end tests and the demo are run first, and write down what is judged.
 */
const { values } = parseArgs({ options: { from: { type: 'string' } } });

const print = (line: string) => process.stdout.write(`${line}\n`);

const folder = values.from ?? (await mkdtemp(join(tmpdir(), 'tidings-grants-')));
if (values.from === undefined) record(folder);
const records = readRecords(folder);
if (values.from === undefined) await rm(folder, { recursive: true });

const judged = records.files.reduce((sum, file) => sum + file.judged, 0);
const refused = records.files
  .filter(({ isStrict }) => !isStrict)
  .flatMap(({ by, judgements }) => judgements.filter((one) => !one.isAllowed).map((one) => ({ by, ...one })))
  .filter((one) => !expectedRefusal(one));
for (const { by, principal, action, resource } of refused) {
  print(`refused: ${action} on ${resource} to ${JSON.stringify(principal)} in ${by}`);
}

const grants = grantsOf(records);
const unused = grants.filter(({ isUsed }) => !isUsed);
const unexplained = unused.filter((grant) => reasonFor(grant) === undefined);
for (const { policy, action, resource } of unexplained)
  print(`not used: ${action} on ${resource} in ${policy}`);
const stale = reasons.filter((reason) => !unused.some((grant) => reasonFor(grant) === reason));
for (const { because } of stale) print(`a reason that nothing needs: ${because}`);

print(
  `${records.files.length} runtimes, ${judged} judgements, ${records.judgements.length} different; refused where no test looked for it: ${refused.length}`,
);
print(
  `${grants.length} grants: ${grants.length - unused.length} used, ${unused.length - unexplained.length} not used with a reason, ${unexplained.length} not used without`,
);
process.exit(refused.length + unexplained.length + stale.length > 0 ? 1 : 0);
