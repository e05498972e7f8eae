import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { LocalFunction } from '../../local/function.ts';
import type { FunctionOptions } from '../../local/function.ts';

const someText: unknown = expect.any(String);
const someNumber: unknown = expect.any(Number);
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A function whose bundle is this text, and the lines that it prints. */
async function aFunction(code: string, options: Partial<FunctionOptions> = {}) {
  const codeFolder = await mkdtemp(join(tmpdir(), 'tidings-function-'));
  await writeFile(join(codeFolder, 'index.mjs'), code);
  const lines: string[] = [];
  const made = new LocalFunction({
    name: 'under-test',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:under-test',
    codeFolder,
    handler: 'index.handler',
    timeoutSeconds: 5,
    environment: { STAGE: 'test' },
    extraCas: [],
    namesAreLocal: false,
    onLog: (_name, line) => {
      lines.push(line);
    },
    ...options,
  });
  cleanups.push(
    () => rm(codeFolder, { recursive: true }),
    () => made.stop(),
  );
  return { invoke: (event: unknown) => made.invoke(event), warm: () => made.warm(), lines };
}

it('answers what the handler returns, as JSON would carry it', async () => {
  const { invoke } = await aFunction(
    `export const handler = async (event) => ({ got: event.n, at: new Date(0) });`,
  );
  expect(await invoke({ n: 1 })).toEqual({ got: 1, at: '1970-01-01T00:00:00.000Z' });
});

it('fails when its answer is larger than Lambda takes', async () => {
  const { invoke } = await aFunction(
    `export const handler = async ({ bytes }) => ({ statusCode: 200, body: 'x'.repeat(bytes) });`,
  );
  await expect(invoke({ bytes: 7_000_000 })).rejects.toMatchObject({ name: 'Function.ResponseSizeTooLarge' });
  expect(await invoke({ bytes: 6_000_000 })).toMatchObject({ statusCode: 200 });
});

it('sees its own environment and nothing of the machine', async () => {
  const { invoke } = await aFunction(`export const handler = async () => process.env;`);
  const environment = await invoke({});
  expect(environment).toMatchObject({ STAGE: 'test', _HANDLER: 'index.handler' });
  expect(environment).not.toHaveProperty('PATH');
});

it('prints to its log, line by line', async () => {
  const { invoke, lines } = await aFunction(
    `export const handler = async () => { console.log('one'); console.error('two'); process.stdout.write('three\\n'); };`,
  );
  await invoke({});
  await vi.waitFor(() => {
    expect(lines.toSorted()).toEqual(['one', 'three', 'two']);
  });
});

it('runs invocations side by side and tells each how long it has left', async () => {
  const { invoke } = await aFunction(`
    let arrived = 0; let open; const both = new Promise((resolve) => { open = resolve; });
    export const handler = async (event, context) => {
      if (++arrived === 2) open();
      await both;
      return { id: context.awsRequestId, left: context.getRemainingTimeInMillis(), arn: context.invokedFunctionArn };
    };`);
  const [one, two] = await Promise.all([invoke({}), invoke({})]);
  expect(one).toEqual({ id: someText, left: someNumber, arn: someText });
  expect(one).not.toEqual(two);
});

it('a handler that throws fails under its own error name, and the log says so', async () => {
  const { invoke, lines } = await aFunction(
    `export const handler = async () => { throw new RangeError('too far'); };`,
  );
  await expect(invoke({})).rejects.toMatchObject({ name: 'RangeError', message: 'too far' });
  expect(lines.join()).toContain('invocation.failed');
});

it('an invocation that takes too long fails, and the next one finds a fresh worker', async () => {
  const { invoke } = await aFunction(
    `let calls = 0; export const handler = (event) => { calls += 1; while (event.hang) {} return { calls }; };`,
    { timeoutSeconds: 1 },
  );
  await expect(invoke({ hang: true })).rejects.toThrow('Task timed out after 1.00 seconds');
  expect(await invoke({})).toEqual({ calls: 1 });
});

it('a worker that dies fails what it was doing and is started again', async () => {
  const { invoke } = await aFunction(
    `export const handler = async (event) => { if (event.die) process.exit(3); return 'alive'; };`,
  );
  await expect(invoke({ die: true })).rejects.toThrow('exited with code 3');
  expect(await invoke({})).toBe('alive');
});

it('a bundle that cannot be loaded is known before the first invocation', async () => {
  const { warm } = await aFunction(`throw new Error('no such table');`);
  await expect(warm()).rejects.toThrow('no such table');
});

it('may reach receivers on this machine, because its worker says so', async () => {
  const { invoke } = await aFunction(
    `export const handler = async () => globalThis[Symbol.for('tidings.local.receivers')];`,
  );
  expect(await invoke({})).toBe(true);
});

it('finds no name but those of this machine when it is told so', async () => {
  const { invoke } = await aFunction(
    `import { lookup } from 'node:dns/promises';
     export const handler = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);`,
    { namesAreLocal: true },
  );
  expect(await invoke('hooks.example.com')).toEqual(['192.0.2.1']);
  expect(await invoke('localhost')).toContain('127.0.0.1');
});
