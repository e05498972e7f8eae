import { parseArgs } from 'node:util';
import { runBacklog } from './backlog-world.ts';

/**
 * `npm run simulate:backlog -- --deliveries N`: N deliveries wait for one dead endpoint while another goes on, in
 * virtual time, through the real engine and the queues of local/aws. Exits 1 when anything is lost, when deliveries
 * are held in flight, when the endpoint that came back gets more than its pace, or when the other one waits.
 */
const { values } = parseArgs({ options: { deliveries: { type: 'string', default: '200000' } } });
const count = Number(values.deliveries);
if (!Number.isInteger(count) || count < 1) {
  console.error('--deliveries takes a whole number from 1.');
  process.exit(2);
}
const report = await runBacklog({ count, limit: null });
const limited = await runBacklog({ count: Math.ceil(count / 10), limit: 50 });
for (const [title, one] of [
  ['growing pace', report],
  ['rateLimitPerSecond 50', limited],
] as const) {
  console.log(`\n${title}`);
  for (const [name, value] of Object.entries(one)) console.log(`  ${name.padEnd(34)} ${value}`);
}
const isGood = [report, limited].every(
  (one) => one.lost === 0 && one.inFlightMost <= 10 && one.ofItsPaceMost <= 1 && one.othersWaitMsP99 <= 1_000,
);
console.log(isGood ? '\nnothing lost, nothing held in flight, no burst' : '\nNOT as promised');
process.exitCode = isGood ? 0 : 1;
