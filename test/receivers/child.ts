import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told of all that is printed, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Processes that still run; each leads a group of its own, so that what it starts (Maven's Java) ends with it. */
const running = new Set<ChildProcess>();

/** Ends everything that was started here; safe to call in an exit handler. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** Of a process's output this much is kept, to explain a failure. */
const outputCharsMax = 4_000;

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Exit code; null when it was killed; undefined while it runs. */
  readonly ended: () => number | null | undefined;
}

function start({ command, args, cwd, env, onOutput }: Command, inherited: NodeJS.ProcessEnv): Started {
  const child = spawn(command, args, {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  let ended: number | null | undefined;
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-outputCharsMax);
    onOutput?.(chunk.toString());
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  running.add(child);
  child.once('close', (code) => {
    ended = code;
    running.delete(child);
  });
  child.once('error', (error) => {
    output += String(error);
    ended = null;
    running.delete(child);
  });
  return { child, output: () => output.trim(), ended: () => ended };
}

/** A command did not end well. */
export class CommandFailed extends Error {}

/**
 * Runs a command to its end, with the environment of this process.
 *
 * @returns what it printed
 * @throws CommandFailed when it cannot be started, fails, or takes longer than the limit.
 */
export async function run(command: Command, limitMs: number): Promise<string> {
  const { child, output, ended } = start(command, process.env);
  const name = [command.command, ...command.args].join(' ');
  const limit = AbortSignal.timeout(limitMs);
  limit.addEventListener('abort', () => {
    // Later its number may belong to another process.
    if (ended() === undefined) killGroup(child);
  });
  try {
    if (ended() === undefined) await once(child, 'close');
  } catch (cause) {
    throw new CommandFailed(`${name}: cannot be started`, { cause });
  }
  if (ended() !== 0 && limit.aborted) throw new CommandFailed(`${name}: not done in ${limitMs / 1000} s`);
  if (ended() !== 0) throw new CommandFailed(`${name}: ${output()}`);
  return output();
}

export interface Server {
  readonly output: () => string;
  readonly hasEnded: () => boolean;
  readonly stop: () => Promise<void>;
}

/** Starts a server; of this process's environment it gets only what programs need to start at all. */
export function startServer(command: Command): Server {
  const { PATH, HOME, JAVA_HOME } = process.env;
  const { child, output, ended } = start(command, { PATH, HOME, JAVA_HOME });
  return {
    output,
    hasEnded: () => ended() !== undefined,
    stop: async () => {
      if (ended() !== undefined) return;
      const closed = once(child, 'close');
      killGroup(child);
      await closed;
    },
  };
}
