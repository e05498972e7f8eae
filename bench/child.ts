import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const readyLine = z.object({ api: z.string(), aws: z.string(), bus: z.string(), operatorToken: z.string() });

/** Where a runtime that was started is. */
export type Ready = z.output<typeof readyLine>;

/** `npm start -- --no-demo` on free ports in a process of its own, which can be killed like any other. */
export async function start(flags: readonly string[]): Promise<{ child: ChildProcess; ready: Ready }> {
  const script = join(import.meta.dirname, '..', 'local', 'start.ts');
  const child = spawn(process.execPath, [script, '--no-demo', '--port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('ready ')) continue;
    child.stdout.resume();
    return { child, ready: readyLine.parse(JSON.parse(line.slice('ready '.length))) };
  }
  throw new Error('npm start ended before it was ready');
}
