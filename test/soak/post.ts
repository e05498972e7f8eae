/**
 * Two thousand attempts over well and badly behaved receivers, some of them ended by the caller at an arbitrary
 * moment: no socket stays open, nothing is rejected unheard, and memory comes back. Prints what it measured.
 *
 * Run it with `npx node --expose-gc test/soak/post.ts [attempts]`; it exits 1 when a promise is broken.
 */
import { createHistogram } from 'node:perf_hooks';
import type { PostResult } from '../../lambdas/request/answer.ts';
import { makePost } from '../../lambdas/request/post.ts';
import { defaultTargetRules } from '../fakes/target-rules.ts';
import { aTcpReceiver, aTlsReceiver, scripts, type Receiver } from '../lambdas/request/bad-receivers.ts';
import { anAuthority, aSelfSigned } from '../lambdas/request/certificates.ts';

const attemptsMax = Number(process.argv[2] ?? 2000);
const concurrency = 50;
const timeoutMs = 300;

/** Of what JavaScript holds, buffers included, beyond what it held before the soak: nothing but noise. */
const usedBytesMax = 8_000_000;

/**
 * Of the whole process. Its TLS memory grows with the first thousands of connections and then stays level, exactly
 * as that of a bare `https.request` in a loop, so the soak is preceded by a warm-up of the same length.
 */
const residentBytesMax = 64_000_000;

collectGarbage(); // or say at once that it cannot be asked for

const authority = await anAuthority();
const { certificate: cert, key } = await authority.issue();
const self = await aSelfSigned(['receiver.localhost']);
const receivers: Receiver[] = await Promise.all([
  ...Object.values(scripts).map((script) => aTlsReceiver(script, { cert, key })),
  aTlsReceiver(scripts.well, { cert: self.certificate, key: self.key }),
  aTlsReceiver(scripts.well, { cert, key, requestCert: true, ca: [authority.certificate] }),
  aTlsReceiver(scripts.well, {
    cert,
    key,
    requestCert: true,
    ca: [authority.certificate],
    maxVersion: 'TLSv1.2',
  }),
  aTcpReceiver(),
]);

const unheard: unknown[] = [];
process.on('unhandledRejection', (reason) => unheard.push(reason));
process.on('uncaughtException', (error) => unheard.push(error));

const post = makePost({
  lookup: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
  ca: [authority.certificate],
});

const counts = new Map<string, number>();
const durations = createHistogram();
let latestMs = 0;

await soak(attemptsMax);
const before = await settledMemory();
counts.clear();
durations.reset();
latestMs = 0;
const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
await soak(attemptsMax);
const cpu = process.cpuUsage(cpuBefore);
const seconds = (performance.now() - startedAt) / 1000;
const after = await settledMemory();
const open = receivers.reduce((sum, receiver) => sum + receiver.open(), 0);
const resources = process.getActiveResourcesInfo().filter((name) => name !== 'TCPServerWrap');
const sockets = resources.filter((name) => name === 'TCPSocketWrap' || name === 'TLSWrap');
await Promise.all(receivers.map((receiver) => receiver.close()));

const outcomes = [...counts.values()].reduce((sum, count) => sum + count, 0);
const promises = {
  'one outcome for each attempt': outcomes === attemptsMax,
  'no open socket': sockets.length === 0 && open === 0,
  'no unhandled rejection': unheard.length === 0,
  'memory back': after.used - before.used < usedBytesMax && after.rss - before.rss < residentBytesMax,
  'within the deadline and a second': latestMs < timeoutMs + 1000,
};
print(`${attemptsMax} attempts, ${concurrency} at a time, in ${seconds.toFixed(1)} s`);
print(`CPU ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s, receivers included`);
print(`duration ms: median ${ms(50)}, 99 % ${ms(99)}, longest ${latestMs.toFixed(0)}`);
print(
  `memory MB, before and after: rss ${mb(before.rss)} ${mb(after.rss)}, used ${mb(before.used)} ${mb(after.used)}`,
);
print(
  `open sockets: ${sockets.length} here, ${open} at the receivers; unhandled rejections: ${unheard.length}`,
);
for (const [outcome, count] of [...counts].sort(([, a], [, b]) => b - a))
  print(`${String(count).padStart(6)}  ${outcome}`);
for (const [promise, isKept] of Object.entries(promises))
  print(`${isKept ? 'kept  ' : 'BROKEN'}  ${promise}`);
if (Object.values(promises).includes(false)) process.exitCode = 1;

async function soak(attempts: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < attempts) {
      const index = next;
      next += 1;
      count(await attempt(index));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

async function attempt(index: number): Promise<PostResult> {
  const receiver = receivers[index % receivers.length];
  const stop = new AbortController();
  // Every seventh attempt ends within its first 12 ms, when it may be in any phase.
  const timer =
    index % 7 === 0
      ? setTimeout(() => {
          stop.abort();
        }, index % 13)
      : undefined;
  const result = await post({
    url: `https://receiver.localhost:${receiver?.port ?? 1}/`,
    headers: { 'content-type': 'application/json' },
    body: Buffer.alloc(1000, 'x'),
    timeoutMs,
    rules: { ...defaultTargetRules, loopback: true },
    signal: stop.signal,
    ...(index % 2 === 0 ? { keepResponseBytes: 1024 } : {}),
  });
  clearTimeout(timer);
  return result;
}

function count({ answer, durationMs }: PostResult): void {
  const outcome = answer.kind === 'response' ? String(answer.status) : answer.code;
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  durations.record(Math.max(1, Math.round(durationMs)));
  latestMs = Math.max(latestMs, durationMs);
}

/** After the receivers have seen the ends of their connections, and garbage has been collected. */
async function settledMemory(): Promise<{ rss: number; used: number }> {
  const givenUpAt = performance.now() + 5000;
  while (receivers.some((receiver) => receiver.open() > 0) && performance.now() < givenUpAt) await pause(20);
  collectGarbage();
  await pause(100);
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, used: heapUsed + external };
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Memory can only be compared with --expose-gc.');
  globalThis.gc();
}

function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forMs);
  });
}

function ms(percentile: number): number {
  return durations.percentile(percentile);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
