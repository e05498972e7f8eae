import { spawnSync } from 'node:child_process';

/** Runs the end-to-end tests and the demo, which write down what is judged. */
export function record(folder: string): void {
  const commands = [
    ['npx', 'vitest', 'run', 'test/end-to-end', 'test/local/runtime.test.ts'],
    ['npm', 'run', 'demo'],
  ] as const;
  for (const [command, ...flags] of commands) {
    const env = { ...process.env, TIDINGS_PERMISSIONS_RECORD: folder };
    const { status } = spawnSync(command, flags, { stdio: ['ignore', 'inherit', 'inherit'], env });
    if (status !== 0)
      throw new Error(`${[command, ...flags].join(' ')} failed: nothing can be said of its grants`);
  }
}
